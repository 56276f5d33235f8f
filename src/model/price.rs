//! What a design costs, as far as its file states prices.

/// The prices of a design; empty if the file states none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    /// The currency, e.g. `EUR`; `None` if the file does not name it.
    pub currency: Option<String>,
    /// One row for each component with a price.
    pub rows: Vec<Price>,
    /// Components without a price that do not stand on machines of the file, in its order.
    pub without: Vec<String>,
}

/// The price of one component.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// Its name: a service, cache, store, balancer or group of machines.
    pub component: String,
    /// How many replicas, members, instances or machines it has.
    pub count: u32,
    /// What one of them costs in a month of 730 h; never negative.
    pub each_per_month: f64,
}

impl Price {
    /// What all of them cost in a month.
    pub fn per_month(&self) -> f64 {
        f64::from(self.count) * self.each_per_month
    }
}

impl Prices {
    /// What everything costs in a month; `None` if no price is stated.
    pub fn per_month(&self) -> Option<f64> {
        (!self.rows.is_empty()).then(|| self.rows.iter().map(Price::per_month).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_design_costs_what_its_parts_cost() {
        let row = |count, each_per_month| Price {
            component: "x".into(),
            count,
            each_per_month,
        };
        let prices = Prices {
            rows: vec![row(3, 40.0), row(1, 12.5)],
            ..Prices::default()
        };
        assert_eq!(prices.per_month(), Some(132.5));
        assert_eq!(Prices::default().per_month(), None);
    }
}
