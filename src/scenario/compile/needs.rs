//! How many replicas a service needs: as stated, or as the load at the busiest time takes.

use super::Compiler;
use super::dist::per_cent;
use crate::ids::PoolId;
use crate::model::{Load, NeedsAtPeak, Owner};
use crate::scenario::place::{Place, quoted};
use crate::scenario::read::{At, Opt};
use crate::scenario::schema::Needs;

/// A `needs: at_peak` that waits until the load is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pool: PoolId,
    place: Place,
    /// The share of the workers that may be in use.
    utilisation: f64,
}

impl Compiler<'_> {
    /// How many of `count` slots `owner` needs; 1 if that is wrong, or waits for the load.
    pub(super) fn needs(
        &mut self,
        field: &Opt<Needs>,
        owner: Owner,
        count: u32,
        word: &str,
    ) -> u32 {
        let Some((place, needs)) = field.as_ref().and_then(|at| Some((at.place, at.get()?))) else {
            return 1;
        };
        match needs {
            Needs::Count(0) => {
                self.problem(
                    place,
                    "`needs` is 0",
                    "what needs nobody is always up; it must be at least 1",
                );
                1
            }
            Needs::Count(needs) if *needs > u64::from(count) => {
                let there = if count == 1 { "is only" } else { "are only" };
                self.problem(
                    place,
                    format!("`needs` is {needs}, but there {there} {count}"),
                    format!("it must be at most the number of {word}"),
                );
                1
            }
            Needs::Count(needs) => *needs as u32,
            Needs::AtPeak(form) => {
                self.wait_for_load(place, form.at_peak.as_ref(), owner);
                1
            }
        }
    }

    fn wait_for_load(
        &mut self,
        place: Place,
        stated: Option<&At<crate::scenario::units::Percent>>,
        owner: Owner,
    ) {
        let Owner::Pool(pool) = owner else {
            self.problem(
                place,
                "`at_peak` for a balancer",
                "handing on takes a balancer no time, so no load needs a second one; state a number",
            );
            return;
        };
        let mut utilisation = 1.0;
        if let Some(at) = stated {
            let Some(share) = at.get() else { return };
            if share.0 <= 0.0 {
                self.problem(
                    at.place,
                    "`at_peak` is 0%",
                    "replicas that may do nothing carry no load: it must be above 0%",
                );
                return;
            }
            utilisation = share.0;
        }
        self.at_peak.push(Waiting {
            pool,
            place,
            utilisation,
        });
    }

    /// Works out what waited for the load of the whole system.
    pub(super) fn needs_at_peak(&mut self) {
        let waiting = std::mem::take(&mut self.at_peak);
        if waiting.is_empty() {
            return;
        }
        let load = Load::at_peak(&self.system, None);
        let busiest = Load::busiest(&self.system);
        for Waiting {
            pool: id,
            place,
            utilisation,
        } in waiting
        {
            let pool = &self.system.pools[id];
            let (name, active) = (pool.name.clone(), pool.active() as u32);
            let Some(workers) = pool.workers else {
                self.problem(
                    place,
                    format!(
                        "`needs: at_peak`, and {} has any number of workers",
                        quoted(&name)
                    ),
                    "one replica carries any load then: state `workers`, or a number",
                );
                continue;
            };
            if self.system.workloads.is_empty() {
                self.problem(
                    place,
                    "`needs: at_peak` without a workload",
                    "no load comes from nowhere: add a `workload`, or state a number",
                );
                continue;
            }
            let busy = load.pools[id].busy;
            // A load that fills them to the last digit is carried.
            let needed = (busy / (f64::from(workers) * utilisation) - 1e-9)
                .ceil()
                .max(1.0);
            if needed > f64::from(active) {
                self.problem(
                    place,
                    format!(
                        "at the busiest time {} needs {needed} replicas, and there are {active}",
                        quoted(&name)
                    ),
                    format!(
                        "{busy:.1} workers are in use then, on average, and {workers} of a replica \
                         may be to {}: add replicas or workers, or lower the load",
                        per_cent(utilisation)
                    ),
                );
                continue;
            }
            self.system.pools[id].needs = needed as u32;
            self.system.needs_at_peak.push(NeedsAtPeak {
                pool: id,
                utilisation,
                busy,
                busiest,
            });
        }
    }
}
