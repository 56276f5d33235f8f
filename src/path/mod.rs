//! A history of the control state as plain data: what traffic can see of it, and what changed when.
//!
//! `control` writes it, `traffic` reads it, and they meet nowhere else. A [`Regime`] is everything
//! traffic can see at one instant; a [`Signal`] is one change of it; a [`Transition`] is an instant
//! at which something happened, with the reason for people.

mod cause;
mod key;
mod network;
mod news;
mod sites;

pub use cause::Cause;
pub use key::KeyMaker;
pub use network::Network;
pub use news::{ProbeNews, ProbeState};

pub use crate::model::{Blame, Impairment, LinkState, Phase};

use crate::ids::{
    BalancerId, CampaignId, ClockId, DomainId, FaultId, IdVec, JourneyId, LinkId, PoolId, SlotId,
    WorkloadId,
};
use crate::model::{Step, System};
use crate::time::{SimSpan, SimTime};

/// What a connection attempt to a slot meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotState {
    /// A running process.
    Serving,
    /// No process on a live machine: refused at once, and connections in progress are reset.
    Refusing,
    /// Nothing: packets vanish, the caller learns from its own timer.
    Silent,
    /// A process that hangs: connections are accepted and never answered. When it is over the process
    /// is restarted, and connections are reset.
    Hung,
    /// A process that stands still: connections are accepted and wait, work goes on afterwards.
    Paused,
    /// A process that stands by: nobody sends it anything, and it refuses what comes.
    Standby,
}

/// One change of what traffic can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A slot's process or machine changed.
    Slot {
        /// Which.
        slot: SlotId,
        /// To what.
        state: SlotState,
    },
    /// A slot became slow or began to answer with errors, or less so.
    Impaired {
        /// Which.
        slot: SlotId,
        /// How badly.
        impairment: Impairment,
    },
    /// A slot was cut off with its domain, or joined again. Two slots reach each other when their
    /// islands are equal and no link between them is cut; users are on `None`.
    Island {
        /// Which.
        slot: SlotId,
        /// The innermost isolated domain around it.
        island: Option<DomainId>,
    },
    /// A link of the network was cut, or became lossy or slow, or less so.
    Link {
        /// Which.
        link: LinkId,
        /// How it is now.
        state: LinkState,
    },
    /// While the network is cut, the address of a balancer moved for those at one site.
    LocalHolder {
        /// Which balancer.
        balancer: BalancerId,
        /// The site.
        site: u32,
        /// The instance that they now reach at the address.
        holder: Option<SlotId>,
    },
    /// An instance of a balancer changed its mind about a member.
    View {
        /// The instance.
        instance: SlotId,
        /// The member's index in the balancer's pool.
        member: u32,
        /// Whether it is now believed up.
        up: bool,
    },
    /// The address of a balancer moved.
    Holder {
        /// Which balancer.
        balancer: BalancerId,
        /// The instance that users now reach at the address.
        holder: Option<SlotId>,
    },
    /// The leadership of a store moved.
    Leader {
        /// Which store.
        pool: PoolId,
        /// The member that now accepts what only a leader may.
        leader: Option<SlotId>,
    },
    /// A burst of a workload began, or ended.
    Burst {
        /// Which workload.
        workload: WorkloadId,
        /// Whether more requests come than usual.
        active: bool,
    },
    /// From now on, failures of a journey are attributed to this.
    Blame {
        /// Which journey.
        journey: JourneyId,
        /// The fault, if one is active among its dependencies.
        blame: Option<Blame>,
    },
}

/// Why something changed, for people and for `explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A fault begins.
    FaultBegins(ClockId),
    /// A fault ends; what it stopped may still have to start.
    FaultEnds(ClockId),
    /// The effect of a fault that comes and goes while it lasts comes again, or goes.
    FaultTurns {
        /// The fault.
        clock: ClockId,
        /// Whether it is there from now on.
        on: bool,
    },
    /// Somebody has noticed a fault that needs to be noticed.
    Noticed(ClockId),
    /// A repair waits for a spare part.
    PartAwaited(ClockId),
    /// A repair waits for its crew.
    RepairWaits(ClockId),
    /// The crew's work on a fault begins, or goes on.
    RepairStarts(ClockId),
    /// A crew leaves the work on a fault for something more urgent.
    RepairInterrupted(ClockId),
    /// People have finished a step of their work on a fault, not the last one.
    StepDone {
        /// The fault.
        clock: ClockId,
        /// The step.
        step: Step,
    },
    /// A part that was ordered for repairs of this fault arrives.
    PartArrives(FaultId),
    /// A process that has ended will have been started after this time, if nothing comes in between.
    StartsIn {
        /// Whose.
        slot: SlotId,
        /// Pauses and the start itself.
        after: SimSpan,
    },
    /// A start of a slot has failed.
    StartFails(SlotId),
    /// Starts of a slot have failed while what ended its process was still there.
    StartsFailed {
        /// Whose.
        slot: SlotId,
        /// How many.
        times: u32,
    },
    /// Nobody restarts a slot any more; a person is called.
    RestartsEnd(SlotId),
    /// A slot serves again after starting.
    Started(SlotId),
    /// An instance of a balancer changed its mind about a member.
    Verdict {
        /// The instance.
        instance: SlotId,
        /// The member.
        member: SlotId,
        /// Whether it is now believed up.
        up: bool,
    },
    /// An instance of a balancer has probed a member that answers with errors now and then for a
    /// while, and has not changed its mind.
    Undecided {
        /// The instance.
        instance: SlotId,
        /// The member.
        member: SlotId,
    },
    /// An instance of a balancer became master.
    Master(SlotId),
    /// An instance of a balancer should have become master and did not; a person is called.
    TakeoverFails(SlotId),
    /// The lease of a store's leader ran out.
    LeaseExpired(PoolId),
    /// A member took the lease and is being promoted.
    Promoting(SlotId),
    /// A member leads its store.
    Leads(SlotId),
    /// The loss of a store's leader was detected.
    LossDetected(PoolId),
    /// A candidate was lost, and its promotion is void.
    PromotionVoid(SlotId),
    /// The failover of a store has failed, and a person is called.
    FailoverFailed(PoolId),
    /// A person has put the failover of a store right.
    PutRight(PoolId),
    /// All members of a store are lost.
    AllLost(PoolId),
    /// The lead of a store goes back to this member.
    FailsBack(SlotId),
    /// Planned work stops the leader of a store, and the lead goes over to this member.
    HandsOver(SlotId),
    /// The new leader of a store lacks what was acknowledged in this time before the fault.
    WritesLost {
        /// Which store.
        pool: PoolId,
        /// How long.
        lag: SimSpan,
    },
    /// The leader of a store has waited long enough for a member to copy to, and goes on alone.
    GoesOnAlone(PoolId),
    /// An election begins.
    ElectionBegins(PoolId),
    /// A group has lost its majority.
    MajorityLost(PoolId),
    /// A standby should take over and does not; a person is called.
    ActivationFails(SlotId),
    /// A standby begins to take over.
    Activating(SlotId),
    /// A standby serves in the stead of what was lost.
    Activated(SlotId),
    /// A campaign takes a step with some of the parts that it works on.
    Campaign {
        /// Which.
        campaign: CampaignId,
        /// The step.
        step: CampaignStep,
        /// Rows of its parts in the order in which it works on them: from the first to before the second.
        parts: (u32, u32),
    },
}

/// What a campaign does to some of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CampaignStep {
    /// They get no new requests any more.
    Drains,
    /// They stop.
    Stops,
    /// The work on them is done; they start.
    Ends,
    /// They get requests again.
    Returns,
    /// They restart with a new version.
    Restarts,
    /// They have started, and the new version is broken.
    Breaks,
    /// A bad change begins to spread over all of them.
    Begins,
    /// It reaches them.
    Reaches,
    /// Somebody notices what is wrong with these.
    Noticed,
    /// They go back to the version before.
    RollsBack,
    /// The change is taken back on them.
    Reverts,
}

/// An instant at which the control state changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// When.
    pub at: SimTime,
    /// Why.
    pub event: Event,
}

/// A store has a leader again that it had lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The store.
    pub pool: PoolId,
    /// When the fault took the leader away.
    pub lost: SimTime,
    /// When a member leads that is available.
    pub led: SimTime,
    /// Whether it is another one.
    pub moved: bool,
    /// How far it lagged behind: what was acknowledged in this time before the fault is lost.
    pub lag: SimSpan,
}

/// Everything traffic can see at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regime {
    /// What each slot is.
    pub slots: IdVec<SlotId, SlotState>,
    /// How badly each slot is doing.
    pub impairments: IdVec<SlotId, Impairment>,
    /// Where each slot is.
    pub islands: IdVec<SlotId, Option<DomainId>>,
    /// How the links between them are.
    pub network: Network,
    /// `views[instance][m]`: whether that instance of a balancer believes member `m` up; empty for
    /// slots that are no instance of a balancer.
    pub views: IdVec<SlotId, Vec<bool>>,
    /// Who holds the address of each balancer; `None` also for balancers without failover.
    pub holders: IdVec<BalancerId, Option<SlotId>>,
    /// Who leads each pool; `None` also for pools without leader.
    pub leaders: IdVec<PoolId, Option<SlotId>>,
    /// Whom failures of each journey are attributed to.
    pub blames: IdVec<JourneyId, Option<Blame>>,
    /// Which workloads have a burst.
    pub bursts: IdVec<WorkloadId, bool>,
}

impl Regime {
    /// Everything serving and in view, first instances and first members in charge, nobody to blame.
    pub fn all_up(system: &System) -> Self {
        let mut views = IdVec::filled(Vec::new(), system.slots.len());
        for balancer in &system.balancers {
            for &slot in &balancer.slots {
                views[slot] = vec![true; system.pools[balancer.to].slots.len()];
            }
        }
        Self {
            slots: IdVec::filled(SlotState::Serving, system.slots.len()),
            impairments: IdVec::filled(Impairment::NONE, system.slots.len()),
            islands: IdVec::filled(None, system.slots.len()),
            network: Network::all_up(system),
            views,
            holders: system
                .balancers
                .iter()
                .map(|balancer| balancer.failover.as_ref().map(|_| balancer.slots[0]))
                .collect(),
            leaders: system
                .pools
                .iter()
                .map(|pool| {
                    matches!(pool.kind, crate::model::PoolKind::Store { .. }).then(|| pool.slots[0])
                })
                .collect(),
            blames: IdVec::filled(None, system.journeys.len()),
            bursts: IdVec::filled(false, system.workloads.len()),
        }
    }

    /// Carries out one change.
    pub fn apply(&mut self, signal: Signal) {
        match signal {
            Signal::Slot { slot, state } => self.slots[slot] = state,
            Signal::Impaired { slot, impairment } => self.impairments[slot] = impairment,
            Signal::Island { slot, island } => self.islands[slot] = island,
            Signal::Link { link, state } => self.network.set(link, state),
            Signal::LocalHolder {
                balancer,
                site,
                holder,
            } => {
                let row = self.network.row(balancer, site);
                self.network.holders[row] = holder;
            }
            Signal::View {
                instance,
                member,
                up,
            } => self.views[instance][member as usize] = up,
            Signal::Holder { balancer, holder } => self.holders[balancer] = holder,
            Signal::Leader { pool, leader } => self.leaders[pool] = leader,
            Signal::Blame { journey, blame } => self.blames[journey] = blame,
            Signal::Burst { workload, active } => self.bursts[workload] = active,
        }
    }

    /// Whether a packet from `from` (`None`: from a user) arrives at `to`.
    #[inline(always)]
    pub fn reaches(&self, from: Option<SlotId>, to: SlotId) -> bool {
        from.and_then(|from| self.islands[from]) == self.islands[to]
            && (!self.network.is_cut() || self.connects(from, to))
    }

    /// Whether no link between them is cut.
    #[inline]
    fn connects(&self, from: Option<SlotId>, to: SlotId) -> bool {
        let roads = &self.network.roads;
        self.network
            .connects(roads.site(from), roads.site(Some(to)))
    }
}
