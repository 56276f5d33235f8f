//! What has been found out about regimes, in memory for as long as a thread runs groups.
//!
//! Regimes that differ only by the names of exchangeable parts have one key and one law, but not one outcome of a sample:
//! by turns and by random numbers the third replica fares other than the first. Which of them a thread meets first
//! depends on which groups it runs. So what is remembered belongs to the very regime, with names, and only blames,
//! which no request can see, make no difference: then it is the same whoever asks, and whenever.

use crate::path::Regime;
use std::collections::BTreeMap;

/// Values by regime and by something else, such as the kind of hour.
#[derive(Debug)]
pub(super) struct ByRegime<T> {
    by_key: BTreeMap<(u64, u64), Vec<(Regime, T)>>,
}

impl<T> Default for ByRegime<T> {
    fn default() -> Self {
        Self {
            by_key: BTreeMap::new(),
        }
    }
}

impl<T> ByRegime<T> {
    /// What is known of `regime`, whose key with something else is `key`.
    pub(super) fn get(&self, key: (u64, u64), regime: &Regime) -> Option<&T> {
        let known = self.by_key.get(&key)?;
        let mut known = known.iter();
        known
            .find(|(other, _)| alike(other, regime))
            .map(|(_, value)| value)
    }

    /// Remembers what was found out.
    pub(super) fn insert(&mut self, key: (u64, u64), regime: &Regime, value: T) {
        self.by_key
            .entry(key)
            .or_default()
            .push((regime.clone(), value));
    }
}

/// Whether requests fare alike in two regimes of one system, to the last digit.
fn alike(a: &Regime, b: &Regime) -> bool {
    a.slots == b.slots
        && a.impairments == b.impairments
        && a.islands == b.islands
        && a.network == b.network
        && a.views == b.views
        && a.holders == b.holders
        && a.leaders == b.leaders
        && a.bursts == b.bursts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Id, JourneyId, SlotId};
    use crate::model::{Blame, Phase};
    use crate::path::{KeyMaker, SlotState};
    use crate::scenario;

    #[test]
    fn regimes_with_one_key_are_told_apart_by_name_and_not_by_blame() {
        const PAIR: &str = "
fivenines: 1
services:
  app: {replicas: 2, faults: {crash: {every: 30d, lasts: 1h}}, operations: {read: {takes: 1ms}}}
workload: {users: {arrive: {poisson: 1/s}, journeys: {app.read: 100%}, patience: 1s}}
";
        let Ok(loaded) = scenario::load(PAIR.as_bytes(), "test.yaml") else {
            panic!("the scenario is right");
        };
        let system = loaded.system;
        let without = |slot: usize| {
            let mut regime = Regime::all_up(&system);
            regime.slots[SlotId::from_index(slot)] = SlotState::Refusing;
            regime
        };
        let (first, second) = (without(0), without(1));
        let mut keys = KeyMaker::default();
        let key = (keys.key(&system, &first), 0);
        assert_eq!(key.0, keys.key(&system, &second));
        let mut known = ByRegime::default();
        known.insert(key, &first, 1);
        assert_eq!(known.get(key, &second), None);
        known.insert(key, &second, 2);
        let mut blamed = first.clone();
        blamed.blames[JourneyId::from_index(0)] = Some(Blame {
            fault: system
                .clocks
                .iter()
                .map(|clock| clock.fault)
                .next()
                .expect("a fault"),
            phase: Phase::Repair,
        });
        assert_eq!(known.get(key, &blamed), Some(&1));
        assert_eq!(known.get(key, &second), Some(&2));
        assert_eq!(known.get((key.0, 1), &second), None);
    }
}
