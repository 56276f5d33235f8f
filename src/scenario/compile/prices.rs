//! Prices and their currency.

use super::Compiler;
use crate::model::Price;
use crate::scenario::limits;
use crate::scenario::place::quoted;
use crate::scenario::read::Opt;
use crate::scenario::schema::{File, PriceForm};

impl Compiler<'_> {
    /// Notes what `count` of a component cost; one that stands on machines may leave the price to
    /// them.
    pub(super) fn price(&mut self, field: &Opt<PriceForm>, name: &str, count: u32, stands: bool) {
        let Some(at) = field else {
            if !stands {
                self.system.prices.without.push(name.to_owned());
            }
            return;
        };
        let Some(&form) = at.get() else { return };
        let amount = form.amount();
        if amount < 0.0 {
            self.problem(
                at.place,
                format!("the price of {} is negative", quoted(name)),
                "a price is 0 or more; what is free has no price or 0",
            );
        } else if amount > limits::PRICE {
            self.problem(
                at.place,
                format!(
                    "the price of {} is more than {:e}",
                    quoted(name),
                    limits::PRICE
                ),
                "state it in a larger unit, for all components alike",
            );
        } else {
            self.system.prices.rows.push(Price {
                component: name.to_owned(),
                count,
                each_per_month: form.per_month(),
            });
        }
    }

    /// Reads the currency, when all prices are known.
    pub(super) fn currency(&mut self, file: &File) {
        const LONGEST: usize = 8;
        if let Some(at) = &file.currency
            && let Some(text) = at.get()
        {
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '$' | '€' | '£' | '¥');
            if text.is_empty() || text.chars().count() > LONGEST || !text.chars().all(plain) {
                self.problem(
                    at.place,
                    format!("{} is no currency", quoted(text)),
                    "write a short word such as EUR",
                );
            } else if self.system.prices.rows.is_empty() {
                self.system
                    .warnings
                    .push("a currency is stated, but no component has a `price`".to_owned());
            }
            self.system.prices.currency = Some(text.clone());
        }
        if self.system.prices.rows.is_empty() {
            self.system.prices.without.clear();
        }
    }
}
