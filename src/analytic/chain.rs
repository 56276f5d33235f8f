//! The steady state of a finite Markov chain in continuous time.
//!
//! Source: Grassmann, Taksar and Heyman, Regenerative analysis and steady state distributions for
//! Markov chains, Operations Research 33 (1985) 1107-1116. The elimination subtracts nothing, so that
//! small probabilities keep all their digits.

/// A chain that is built up transition by transition.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    rates: Vec<Vec<f64>>,
}

impl Chain {
    /// A chain of `states` states without transitions.
    pub fn new(states: usize) -> Self {
        Self {
            rates: vec![vec![0.0; states]; states],
        }
    }

    /// Adds a transition at `rate` >= 0; one to the state itself changes nothing.
    pub fn add(&mut self, from: usize, to: usize, rate: f64) {
        if from != to {
            self.rates[from][to] += rate;
        }
    }

    /// The share of time spent in each state. Every state must reach state 0, and be reached from it.
    ///
    /// # Panics
    /// If the chain has no state.
    pub fn steady(&self) -> Vec<f64> {
        let mut rates = self.rates.clone();
        let states = rates.len();
        for gone in (1..states).rev() {
            let out: f64 = rates[gone][..gone].iter().sum();
            let (left, last) = rates.split_at_mut(gone);
            for row in left {
                row[gone] /= out;
                let into = row[gone];
                for (rate, &onward) in row[..gone].iter_mut().zip(&last[0][..gone]) {
                    *rate += into * onward;
                }
            }
        }
        let mut shares = vec![1.0];
        for state in 1..states {
            let into = shares.iter().zip(&rates);
            let share: f64 = into.map(|(share, row)| share * row[state]).sum();
            shares.push(share);
        }
        let total: f64 = shares.iter().sum();
        shares.into_iter().map(|share| share / total).collect()
    }

    /// The share of time in states that are not `up`, and how often per unit of time the chain enters
    /// them from those that are.
    pub fn outages(&self, up: impl Fn(usize) -> bool) -> (f64, f64) {
        let shares = self.steady();
        let (mut share, mut frequency) = (0.0, 0.0);
        for (state, &here) in shares.iter().enumerate() {
            if up(state) {
                let down = (0..shares.len()).filter(|&to| !up(to));
                frequency += here * down.map(|to| self.rates[state][to]).sum::<f64>();
            } else {
                share += here;
            }
        }
        (share, frequency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of two with one crew: failures 1/720 h, repairs 1/24 h; solved elsewhere.
    #[test]
    fn a_birth_death_chain_has_its_known_solution() {
        let (fail, repair) = (1.0 / 720.0, 1.0 / 24.0);
        let mut chain = Chain::new(3);
        chain.add(0, 1, 2.0 * fail);
        chain.add(1, 2, fail);
        chain.add(1, 0, repair);
        chain.add(2, 1, repair);
        let (share, frequency) = chain.outages(|state| state < 2);
        assert!((share / 0.002_079_002_079 - 1.0).abs() < 1e-9);
        assert!((frequency / 8.662_508_663e-5 - 1.0).abs() < 1e-9);
    }
}
