//! Waiting and sojourn times of single queues fed by a Poisson stream.
//!
//! Source: Kleinrock, Queueing Systems, volume 1 (1975), chapters 3 and 5.

/// First in, first out; Poisson arrivals, exponential service, c servers (M/M/c). Below saturation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MultiServer {
    servers: u32,
    /// Requests per unit of time.
    arrival: f64,
    /// Requests that one server completes per unit of time.
    service: f64,
    /// The probability that a request has to wait (Erlang C).
    waits: f64,
}

impl MultiServer {
    /// A queue in front of this many servers, with rates per unit of time; `None` if it would grow
    /// for ever.
    pub fn new(servers: u32, arrival: f64, service: f64) -> Option<Self> {
        let offered = arrival / service;
        let stable = servers > 0 && arrival >= 0.0 && service > 0.0 && offered < f64::from(servers);
        if !stable {
            return None;
        }
        let blocked = erlang_b(servers, offered);
        let utilisation = offered / f64::from(servers);
        let waits = blocked / (1.0 - utilisation * (1.0 - blocked));
        Some(Self {
            servers,
            arrival,
            service,
            waits,
        })
    }

    /// The share of time a server is busy.
    pub fn utilisation(self) -> f64 {
        self.arrival / self.service / f64::from(self.servers)
    }

    /// The probability that a request has to wait (Erlang C).
    pub fn wait_probability(self) -> f64 {
        self.waits
    }

    /// The rate at which a queue that has formed drains: those who wait do so for an exponential
    /// time with this rate.
    fn drain(self) -> f64 {
        f64::from(self.servers) * self.service - self.arrival
    }

    /// Mean wait for a server.
    pub fn mean_wait(self) -> f64 {
        self.waits / self.drain()
    }

    /// Mean time from arrival to answer.
    pub fn mean_sojourn(self) -> f64 {
        self.mean_wait() + 1.0 / self.service
    }

    /// The share of requests that wait longer than `t`.
    pub fn wait_sf(self, t: f64) -> f64 {
        self.waits * (-self.drain() * t).exp()
    }

    /// The wait that a share `q` of the requests does not exceed.
    pub fn wait_quantile(self, q: f64) -> f64 {
        ((self.waits / (1.0 - q)).ln() / self.drain()).max(0.0)
    }

    /// The share of requests that are answered later than `t` after their arrival.
    pub fn sojourn_sf(self, t: f64) -> f64 {
        // With a wait the sojourn is a sum of two exponentials; (1 - e^-z)/z keeps it smooth where
        // their rates meet.
        let z = (self.drain() - self.service) * t;
        let bend = if z == 0.0 { 1.0 } else { -f64::exp_m1(-z) / z };
        (-self.service * t).exp() * (1.0 + self.waits * self.service * t * bend)
    }

    /// The sojourn that a share `q` of the requests does not exceed.
    pub fn sojourn_quantile(self, q: f64) -> f64 {
        let mut high = self.mean_sojourn();
        while self.sojourn_sf(high) > 1.0 - q {
            high *= 2.0;
        }
        bisect(0.0, high, |t| self.sojourn_sf(t) <= 1.0 - q)
    }
}

/// The smallest number in `[low, high]`, to rounding, from which on `holds`.
pub(super) fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    // Each step halves the bracket: 200 exhaust the digits of any start.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) {
            high = middle
        } else {
            low = middle
        }
    }
    high
}

/// The share of requests lost by `servers` without a queue at this offered load, in erlangs, for any
/// distribution of service times.
pub fn erlang_b(servers: u32, offered: f64) -> f64 {
    // The recursion over servers is stable; the factorials of the textbook overflow.
    (1..=servers).fold(1.0, |blocked, server| {
        offered * blocked / (f64::from(server) + offered * blocked)
    })
}

/// Mean wait of a single server, first in, first out, with Poisson arrivals and any distribution of
/// service with this mean and squared coefficient of variation (variance over squared mean: 0
/// constant, 1 exponential); infinite at or above saturation.
///
/// ```
/// use fivenines::analytic::pollaczek_khinchine_wait;
/// // M/D/1 at 70 %.
/// assert!((pollaczek_khinchine_wait(0.7, 1.0, 0.0) - 1.166_666_666_7).abs() < 1e-9);
/// ```
pub fn pollaczek_khinchine_wait(arrival: f64, mean_service: f64, variation: f64) -> f64 {
    let utilisation = arrival * mean_service;
    if utilisation >= 1.0 {
        return f64::INFINITY;
    }
    0.5 * utilisation * mean_service * (1.0 + variation) / (1.0 - utilisation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() < 1e-8,
            "{found}, not {expected}"
        );
    }

    #[test]
    fn one_server_at_eighty_percent() {
        let queue = MultiServer::new(1, 0.8, 1.0).unwrap();
        close(queue.utilisation(), 0.8);
        close(queue.mean_wait(), 4.0);
        close(queue.mean_sojourn(), 5.0);
        let sojourns = [
            (0.5, 3.465_735_903),
            (0.9, 11.512_925_46),
            (0.999, 34.538_776_39),
        ];
        sojourns
            .iter()
            .for_each(|&(q, t)| close(queue.sojourn_quantile(q), t));
        let waits = [
            (0.5, 2.350_018_146),
            (0.9, 10.397_207_71),
            (0.99, 21.910_133_17),
        ];
        waits
            .iter()
            .for_each(|&(q, t)| close(queue.wait_quantile(q), t));
        assert_eq!(queue.wait_quantile(0.1), 0.0);
    }

    #[test]
    fn four_servers_at_eighty_percent() {
        let queue = MultiServer::new(4, 3.2, 1.0).unwrap();
        close(erlang_b(4, 3.2), 0.228_144_93);
        close(queue.wait_probability(), 0.596_432_471_8);
        close(queue.mean_wait(), 0.745_540_589_7);
        close(queue.mean_sojourn(), 1.745_540_59);
        let waits = [
            (0.5, 0.220_447_411_6),
            (0.95, 3.098_678_778),
            (0.999, 7.988_707_535),
        ];
        waits
            .iter()
            .for_each(|&(q, t)| close(queue.wait_quantile(q), t));
        let sojourns = [
            (0.5, 1.346_199_054),
            (0.9, 3.775_960_25),
            (0.95, 4.738_019_496),
            (0.99, 6.893_203_749),
            (0.999, 9.879_666_902),
        ];
        sojourns
            .iter()
            .for_each(|&(q, t)| close(queue.sojourn_quantile(q), t));
    }

    #[test]
    fn sojourns_are_smooth_where_the_two_rates_meet() {
        // Two servers at arrival 1 and service 1 drain at exactly the rate of service.
        let meet = MultiServer::new(2, 1.0, 1.0).unwrap();
        let near = MultiServer::new(2, 1.0 + 1e-9, 1.0).unwrap();
        assert!((meet.sojourn_sf(1.5) / near.sojourn_sf(1.5) - 1.0).abs() < 1e-8);
    }

    #[test]
    fn loss_without_a_queue() {
        close(erlang_b(8, 5.5), 0.094_896_585_89);
        assert_eq!(erlang_b(0, 5.5), 1.0);
        assert_eq!(erlang_b(3, 0.0), 0.0);
    }

    #[test]
    fn waits_by_pollaczek_and_khinchine() {
        close(pollaczek_khinchine_wait(0.7, 1.0, 0.0), 1.166_666_667);
        close(pollaczek_khinchine_wait(0.75, 1.0, 0.5), 2.25);
        close(pollaczek_khinchine_wait(0.8, 1.0, 1.0), 4.0);
        assert_eq!(pollaczek_khinchine_wait(1.0, 1.0, 1.0), f64::INFINITY);
    }

    #[test]
    fn a_queue_that_grows_for_ever_has_no_law() {
        assert_eq!(MultiServer::new(2, 2.0, 1.0), None);
        assert_eq!(MultiServer::new(0, 0.0, 1.0), None);
    }
}
