//! Prices as a file states them.

use schemars::JsonSchema;
use serde::Deserialize;

/// What one replica, member, instance or machine costs, in the file's `currency`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "a price such as {per_month: 120}"
)]
#[schemars(rename = "Price")]
#[expect(clippy::enum_variant_names, reason = "the names are those of the file")]
pub(in crate::scenario) enum PriceForm {
    /// In a month of 730 h.
    PerMonth(#[schemars(range(min = 0.0))] f64),
    /// In an hour.
    PerHour(#[schemars(range(min = 0.0))] f64),
    /// In a year of 8760 h.
    PerYear(#[schemars(range(min = 0.0))] f64),
}

impl PriceForm {
    /// The amount as it was written.
    pub(in crate::scenario) fn amount(self) -> f64 {
        match self {
            Self::PerMonth(amount) | Self::PerHour(amount) | Self::PerYear(amount) => amount,
        }
    }

    /// In a month of 730 h.
    pub(in crate::scenario) fn per_month(self) -> f64 {
        match self {
            Self::PerMonth(amount) => amount,
            Self::PerHour(amount) => amount * 730.0,
            Self::PerYear(amount) => amount / 12.0,
        }
    }
}
