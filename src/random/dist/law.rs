//! What every shape of distribution has to know.

/// A law of non-negative values. All numbers are seconds.
pub(super) trait Law {
    fn mean(&self) -> f64;

    fn variance(&self) -> f64;

    /// The end of the support.
    fn max(&self) -> f64 {
        f64::INFINITY
    }

    /// -ln P(X > x); 0 below the support, infinite from its end on.
    fn cumulative_hazard(&self, x: f64) -> f64;

    /// The density at `x` over P(X > x), if it has one that stays bounded as long as x does.
    fn hazard(&self, _x: f64) -> Option<f64> {
        None
    }

    /// The smallest x of the support with `cumulative_hazard(x) >= hazard`.
    fn inverse_hazard(&self, hazard: f64) -> f64;

    /// The smallest x with P(X > x) <= `sf`.
    fn quantile_of_sf(&self, sf: f64) -> f64 {
        self.inverse_hazard(-sf.ln())
    }

    /// x - `age` for the smallest x with P(X > x | X > `age`) <= `u`; 0 if nothing lives so long.
    fn residual(&self, age: f64, u: f64) -> f64 {
        let spent = self.cumulative_hazard(age);
        if spent == 0.0 {
            // Not one could have ended yet: exactly the draw.
            return (self.quantile_of_sf(u) - age).max(0.0);
        }
        if spent == f64::INFINITY {
            return 0.0;
        }
        (self.inverse_hazard(spent - u.ln()) - age).max(0.0)
    }

    /// A value of the law with density x f(x) / mean, by inversion of its survival function at `u`.
    fn length_biased(&self, u: f64) -> f64;
}
