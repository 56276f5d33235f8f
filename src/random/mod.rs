//! Reproducible random numbers: keyed streams and the distributions drawn from them.
//!
//! A stream is named by what it is for, never by when it is made: the key is (seed, replication,
//! name of the component, purpose). Adding a component therefore moves no draw of another, any
//! replication can be replayed alone, and two designs that share components share their luck.
//!
//! Two generators, both named and portable. A [`Stream`] is xoshiro256++ (Blackman and Vigna 2019);
//! its state is four outputs of SplitMix64 from the mixed key. A [`Sequence`] is SplitMix64 itself
//! (Steele, Lea and Flood 2014), whose n-th number is a function of key and n: for requests and for
//! control clocks, of which a history begins hundreds to take a handful of numbers from each, and
//! where setting up a stream would cost more than all of them.

pub mod arrivals;
pub mod dist;
pub mod piecewise;
pub(crate) mod special;

pub use arrivals::{ArrivalCursor, Intensity};
pub use dist::{Dist, DistError};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng, TryRng};
use std::convert::Infallible;

/// What a stream is for. The numbers are part of the stream keys: append, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Times to failure of a fault clock.
    Failure = 1,
    /// Durations of a fault.
    Repair = 2,
    /// The state of a fault clock when a steady history begins.
    Equilibrium = 3,
    /// Start-up times of a slot.
    StartUp = 4,
    /// Phases of probes, advertisements and lease renewals.
    Phase = 5,
    /// Times of decision and promotion of a store.
    Failover = 6,
    /// Arrivals of a workload, keyed by block.
    Arrivals = 7,
    /// Sampled stretches of a regime, keyed by regime and batch.
    Sample = 8,
    /// What comes before and with a repair: notice, the steps of people.
    Handling = 9,
    /// Which components a common cause hits.
    Hits = 10,
    /// How long ordered parts take.
    Parts = 11,
    /// Activations of standbys.
    Activation = 12,
    /// What a campaign of operators draws, keyed by its occurrences.
    Campaign = 13,
    /// Branches of a history in which faults are forced, keyed by their number.
    Forcing = 19,
    /// Which probes of a member meet an error, keyed by instance and member.
    ProbeErrors = 20,
    /// Requests that come beside the others during a burst, keyed by block.
    Burst = 21,
    /// Times of thinking of users in a closed loop, keyed by user.
    Thinking = 22,
    /// How far the copies of a store lag behind when its leader is lost.
    Lag = 40,
    /// The turns of a fault that comes and goes: on, off, and where they stand when a history begins.
    Turns = 30,
    /// Which starts of a slot fail, and what people need to start it.
    Restart = 31,
    /// Which activations of standbys and takeovers of addresses fail, and what people need for them.
    Coverage = 32,
    /// Where trajectories that are split begin, and what their retrials draw.
    Splitting = 41,
    /// Where in its range an input of the scenario is, keyed by its field.
    Input = 50,
}

/// FNV-1a of the bytes of `name`: the stable hash by which names enter stream keys.
///
/// ```
/// // The published test vector for "a".
/// assert_eq!(fivenines::random::name_hash("a"), 0xaf63_dc4c_8601_ec8c);
/// ```
pub fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The finaliser of SplitMix64: a bijection in which every input bit moves every output bit.
pub const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A key built from parts, in order; different sequences of parts give unrelated keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// The key of a whole run.
    pub const fn of_seed(seed: u64) -> Self {
        Self(mix(seed.wrapping_add(GOLDEN)))
    }

    /// This key with one more part.
    #[must_use]
    pub const fn with(self, part: u64) -> Self {
        self.with_part(Part::new(part))
    }

    /// The key of one component's stream in one replication.
    #[must_use]
    pub const fn component(seed: u64, replication: u64, name_hash: u64, purpose: Purpose) -> Self {
        Self::of_seed(seed)
            .with(replication)
            .with(name_hash)
            .with(purpose as u64)
    }

    /// [`Key::with`] a part that was mixed before: for parts that many keys share.
    #[must_use]
    #[inline]
    pub const fn with_part(self, part: Part) -> Self {
        Self(mix(self.0.rotate_left(17) ^ part.0).wrapping_add(GOLDEN))
    }

    /// The key as a number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The stream of this key.
    pub fn stream(self) -> Stream {
        Stream::from_key(self.0)
    }

    /// The draws of this key: another sequence than its stream's.
    #[inline]
    pub const fn sequence(self) -> Sequence {
        Sequence(self.0)
    }
}

/// A part of keys, mixed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part(u64);

impl Part {
    /// This number as a part.
    #[inline]
    pub const fn new(part: u64) -> Self {
        Self(mix(part.wrapping_add(GOLDEN)))
    }
}

/// One stream of random numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream(Xoshiro256PlusPlus);

impl Stream {
    /// The stream whose state is four outputs of SplitMix64 started at `key`.
    #[inline]
    pub fn from_key(key: u64) -> Self {
        let mut seed = [0_u8; 32];
        let mut state = key;
        for word in seed.chunks_exact_mut(8) {
            state = state.wrapping_add(GOLDEN);
            // One word at a time: left alone, the compiler computes them side by side in vectors that
            // have no 64-bit multiplication, which takes longer.
            word.copy_from_slice(&std::hint::black_box(mix(state)).to_le_bytes());
        }
        Self(Xoshiro256PlusPlus::from_seed(seed))
    }

    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform on the open interval (0, 1), in steps of 2^-52 from 2^-53: neither end can come out,
    /// so every quantile function is finite on it.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        open_unit(self.bits())
    }
}

/// For samplers that take any generator.
impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

/// A short sequence of random numbers that starts at a key: the n-th is [`mix`]`(key + n GOLDEN)`.
///
/// SplitMix64 passes BigCrush. Its weakness does not matter here: all sequences are parts of one
/// cycle of 2^64, so that two of n whose keys are unrelated overlap within their k draws with
/// probability below n^2 k / 2^64, and an overlap would show in those two only. Meant for tens of
/// draws; what draws without end takes a [`Stream`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence(u64);

impl Sequence {
    /// The sequence of `key`.
    #[inline]
    pub const fn from_key(key: u64) -> Self {
        Self(key)
    }

    /// The key of the sequence that is left.
    #[inline]
    pub const fn key(&self) -> u64 {
        self.0
    }

    /// The next 64 bits.
    #[inline]
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Uniform on the open interval (0, 1), as [`Stream::uniform`].
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        open_unit(self.bits())
    }
}

/// For samplers that take any generator.
impl TryRng for Sequence {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.bits() >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.bits())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.bits().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The upper 52 bits of `bits` as a number strictly between 0 and 1.
///
/// 52 and not 53: with 53, adding the half step to a number above 2^52 rounds it to an even one, and
/// the largest becomes exactly 1.
#[inline]
fn open_unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_parts_and_number_of_parts_matter() {
        let key = Key::of_seed(1);
        assert_ne!(key.with(2).with(3), key.with(3).with(2));
        assert_ne!(key.with(0), key);
        assert_ne!(Key::of_seed(0), Key::of_seed(1));
    }

    #[test]
    fn uniforms_never_reach_either_end() {
        assert_eq!(open_unit(0), 2_f64.powi(-53));
        assert_eq!(open_unit(u64::MAX), 1.0 - 2_f64.powi(-53));
    }

    /// The published test vector of SplitMix64 for seed 1234567.
    #[test]
    fn a_sequence_is_splitmix64() {
        let mut sequence = Sequence::from_key(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| sequence.bits()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn a_part_mixed_before_gives_the_same_key() {
        let key = Key::of_seed(3);
        assert_eq!(key.with_part(Part::new(7)), key.with(7));
    }

    /// First outputs of the published generators, worked out with a separate implementation.
    #[test]
    fn streams_are_xoshiro256_plus_plus_seeded_by_splitmix64() {
        let mut stream = Stream::from_key(0);
        let first: Vec<u64> = (0..3).map(|_| stream.bits()).collect();
        assert_eq!(
            first,
            [
                0x5317_5d61_490b_23df,
                0x61da_6f3d_c380_d507,
                0x5c0f_df91_ec9a_7bfc
            ]
        );
    }
}
