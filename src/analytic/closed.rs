//! Users in a closed loop in front of a queue (the machine repairman, M/M/c//N).
//!
//! Source: Kleinrock, Queueing Systems, volume 1 (1975), section 3.8; Scherr, An Analysis of Time-Shared
//! Computer Systems (1967). With exponential service the shares of time do not depend on the
//! distribution of the time of thinking, only on its mean.

/// N users who think and then wait for one of c servers with exponential service times.
#[derive(Clone, Debug, PartialEq)]
pub struct ClosedLoop {
    users: u32,
    think: f64,
    /// The share of time with so many users waiting or being served.
    shares: Vec<f64>,
    /// Requests answered per unit of time.
    throughput: f64,
}

impl ClosedLoop {
    /// `users` who think for `think` on average in front of `servers` that answer after `service` on
    /// average; all above zero.
    pub fn new(users: u32, think: f64, servers: u32, service: f64) -> Self {
        // Ratios of neighbours, scaled by the largest so far: products of factorials overflow.
        let mut weights = vec![1.0_f64];
        for there in 1..=users {
            let comes = f64::from(users - there + 1) / think;
            let goes = f64::from(there.min(servers)) / service;
            let last = weights[weights.len() - 1];
            weights.push(last * comes / goes);
            if last > 1e200 {
                for weight in &mut weights {
                    *weight *= 1e-200;
                }
            }
        }
        let total: f64 = weights.iter().sum();
        let shares: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        let busy = |there: usize| f64::from((there as u32).min(servers));
        let served: f64 = shares
            .iter()
            .enumerate()
            .map(|(there, share)| busy(there) * share)
            .sum();
        Self {
            users,
            think,
            shares,
            throughput: served / service,
        }
    }

    /// The share of time with so many users waiting or being served.
    pub fn share(&self, there: u32) -> f64 {
        self.shares.get(there as usize).copied().unwrap_or(0.0)
    }

    /// Requests answered per unit of time.
    pub fn throughput(&self) -> f64 {
        self.throughput
    }

    /// Mean time from a request to its answer: by Little's law over the whole round, N = X (R + Z).
    pub fn mean_response(&self) -> f64 {
        f64::from(self.users) / self.throughput - self.think
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytic::chain::Chain;

    #[test]
    fn it_is_the_chain_that_it_solves() {
        for (users, think, servers, service) in
            [(1, 5.0, 1, 2.0), (12, 4.0, 3, 1.5), (40, 1.0, 2, 0.3)]
        {
            let mut chain = Chain::new(users as usize + 1);
            for there in 0..users as usize {
                chain.add(there, there + 1, (users as usize - there) as f64 / think);
                let busy = (there + 1).min(servers as usize) as f64;
                chain.add(there + 1, there, busy / service);
            }
            let closed = ClosedLoop::new(users, think, servers, service);
            let steady = chain.steady();
            for (there, share) in steady.iter().enumerate() {
                assert!((closed.share(there as u32) - share).abs() < 1e-12);
            }
            let there: f64 = steady
                .iter()
                .enumerate()
                .map(|(there, share)| there as f64 * share)
                .sum();
            let response = there / closed.throughput();
            assert!((closed.mean_response() / response - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn one_user_never_waits_and_many_keep_the_servers_busy() {
        assert!((ClosedLoop::new(1, 9.0, 1, 1.0).mean_response() - 1.0).abs() < 1e-12);
        let many = ClosedLoop::new(20_000, 1.0, 4, 0.5);
        assert!((many.throughput() - 8.0).abs() < 1e-9);
    }
}
