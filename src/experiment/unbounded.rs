//! Queues and lines that grow for ever, as nothing bounds them.

use super::RunError;
use crate::estimate::{Plan, look_back};
use crate::model::{Load, Method, System};

/// Refuses what no run can answer: a queue that grows for ever.
pub(super) fn check(system: &System, load: &Load, plan: &Plan) -> Result<(), RunError> {
    if plan.method == Method::None || look_back(system).is_some() {
        return Ok(());
    }
    for (id, pool) in system.pools.pairs() {
        // Messages that wait are bounded by the queue.
        let takes = system.queues.iter().any(|queue| queue.consumer == id);
        let Some(utilisation) = load.pools[id].utilisation_max.filter(|_| !takes) else {
            continue;
        };
        let utilisation = utilisation * load.pools[id].mean_factor;
        if utilisation >= 1.0 && pool.queue.is_none() && pool.queue_timeout.is_none() {
            return Err(RunError::Unsuitable {
                line: system.workloads.iter().next().map(|workload| workload.line),
                message: format!(
                    "`{}` is offered {:.0} % of what it can do, and nothing bounds its queue",
                    pool.name,
                    utilisation * 100.0
                ),
                help: "state a `queue` or `queue_timeout` for it or a `patience` for the users, or give it more \
                       workers or replicas"
                    .into(),
            });
        }
    }
    check_links(system, load)
}

/// The same for connections that are waited for.
fn check_links(system: &System, load: &Load) -> Result<(), RunError> {
    for (id, channel) in system.channels.pairs() {
        let Some(max) = channel.max else { continue };
        let loaded = load.channels[id];
        let callers = system.pools[channel.from].active() as f64;
        let lines = callers * channel.addresses_in_use(system) as f64;
        let utilisation = loaded.rate_max * loaded.hold_mean / (lines * f64::from(max));
        if utilisation >= 1.0 && channel.queue.is_none() && channel.wait.is_none() {
            return Err(RunError::Unsuitable {
                line: system.workloads.iter().next().map(|workload| workload.line),
                message: format!(
                    "the connections of `{}` to `{}` are asked for {:.0} % of what they can do, \
                     and nothing bounds the waiting for them",
                    system.pools[channel.from].name,
                    channel.name(system),
                    utilisation * 100.0
                ),
                help: "state a `wait` or `queue` for them or a `patience` for the users, or a \
                       larger `max`"
                    .into(),
            });
        }
    }
    Ok(())
}
