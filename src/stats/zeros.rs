//! Rows of buckets as they are stored: most are zero, so each other one is written with the number of
//! zeros before it.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// More buckets than any histogram has, so that a length read from a file can be believed.
const MOST: usize = super::Histogram::BUCKETS;

pub(super) fn serialize<T, S>(row: &[T], serializer: S) -> Result<S::Ok, S::Error>
where
    T: Copy + Default + PartialEq + Serialize,
    S: Serializer,
{
    let mut entries: Vec<(usize, T)> = Vec::new();
    let mut zeros = 0;
    for &value in row {
        if value == T::default() {
            zeros += 1;
        } else {
            entries.push((zeros, value));
            zeros = 0;
        }
    }
    (row.len(), entries).serialize(serializer)
}

pub(super) fn deserialize<'de, T, R, D>(deserializer: D) -> Result<R, D::Error>
where
    T: Copy + Default + Deserialize<'de>,
    R: TryFrom<Vec<T>>,
    D: Deserializer<'de>,
{
    let (length, entries) = <(usize, Vec<(usize, T)>)>::deserialize(deserializer)?;
    if length > MOST {
        return Err(D::Error::custom("more buckets than there can be"));
    }
    let mut row = vec![T::default(); length];
    let mut next = 0_usize;
    for (zeros, value) in entries {
        let place = next.checked_add(zeros).filter(|&place| place < length);
        let place = place.ok_or_else(|| D::Error::custom("a bucket beyond the last"))?;
        row[place] = value;
        next = place + 1;
    }
    let wrong = |_| D::Error::custom("not as many buckets as there must be");
    row.try_into().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use crate::stats::{Histogram, WeightedHistogram};

    #[test]
    fn histograms_come_back_as_they_were() {
        let mut counts = Histogram::new();
        let mut weights = WeightedHistogram::new();
        for value in [0, 1, 255, 256, 70_000, u64::MAX] {
            for histogram in [&counts.clone(), &Histogram::new()] {
                let bytes = postcard::to_stdvec(histogram).unwrap();
                let back: Histogram = postcard::from_bytes(&bytes).unwrap();
                assert!(back == *histogram);
            }
            counts.record(value);
            weights.add(value, 0.1 + value as f64);
            let bytes = postcard::to_stdvec(&weights).unwrap();
            let back: WeightedHistogram = postcard::from_bytes(&bytes).unwrap();
            assert!(back == weights);
        }
    }

    #[test]
    fn rows_that_cannot_be_are_refused() {
        for (counts, why) in [
            ("[99999999, []]", "more buckets than there can be"),
            ("[7424, [[7424, 1]]]", "a bucket beyond the last"),
            (
                "[7424, [[0, 1], [18446744073709551615, 1]]]",
                "a bucket beyond the last",
            ),
            ("[3, []]", "not as many buckets as there must be"),
        ] {
            let text = format!("{{\"counts\": {counts}, \"total\": 0, \"sum\": 0, \"max\": 0}}");
            let error = serde_json::from_str::<Histogram>(&text).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
