//! What stops a slot: active faults, counted by kind in one word, and the state that follows.
//!
//! Four lanes of 16 bits, the gravest kind highest, so that the state is the highest lane in use: a
//! slot without machine is silent whatever its process does. A component has sixty faults at most and
//! lies in a thousand domains at most (`scenario::limits`), so no lane overflows.

use crate::path::SlotState;

/// One kind of reason not to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Stop {
    /// It stands still.
    Paused = 0,
    /// It hangs.
    Hung = 16,
    /// Its process is gone, or starts.
    Process = 32,
    /// Its machine is gone.
    Machine = 48,
}

/// All reasons of one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stops(u64);

impl Stops {
    /// One more reason, or one less.
    #[inline]
    pub(super) fn change(&mut self, stop: Stop, more: bool) {
        let one = 1_u64 << stop as u32;
        // Without a branch, as beginnings and ends alternate unpredictably; two more and one less.
        self.0 = (self.0.wrapping_sub(one)).wrapping_add(2 * one * u64::from(more));
    }

    /// What a connection meets; `blocked`: a bad change keeps the process from serving.
    #[inline]
    pub(super) fn state(self, blocked: bool) -> SlotState {
        const STATES: [SlotState; 5] = [
            SlotState::Serving,
            SlotState::Paused,
            SlotState::Hung,
            SlotState::Refusing,
            SlotState::Silent,
        ];
        // Like one more reason of the process, but none that a start would have to follow.
        let reasons = self.0 | u64::from(blocked) << Stop::Process as u32;
        STATES[(79 - reasons.leading_zeros() as usize) / 16]
    }

    /// Whether nothing keeps it from running, apart from standing still.
    pub(super) fn may_run(self) -> bool {
        self.0 < 1 << Stop::Hung as u32
    }

    /// Whether it stands still.
    pub(super) fn is_paused(self) -> bool {
        self.0 & 0xffff != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_reason_decides() {
        let mut stops = Stops::default();
        assert_eq!(stops.state(false), SlotState::Serving);
        let order = [
            (Stop::Paused, SlotState::Paused),
            (Stop::Hung, SlotState::Hung),
            (Stop::Process, SlotState::Refusing),
            (Stop::Machine, SlotState::Silent),
        ];
        for (stop, state) in order {
            for _ in 0..65_535 {
                stops.change(stop, true);
                assert_eq!(stops.state(false), state);
                let silent = stop == Stop::Machine;
                let blocked = [SlotState::Refusing, SlotState::Silent][usize::from(silent)];
                assert_eq!(stops.state(true), blocked);
            }
            assert!(stops.is_paused());
            assert_eq!(stops.may_run(), stop == Stop::Paused);
        }
        for (stop, state) in order.into_iter().rev() {
            assert_eq!(stops.state(false), state);
            for _ in 0..65_535 {
                stops.change(stop, false);
            }
        }
        assert_eq!(stops, Stops::default());
    }
}
