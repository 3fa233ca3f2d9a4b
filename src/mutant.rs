//! Laws broken on purpose, one line each, so that the proof can be proven: a test that lets a mutant live is no test.
//!
//! Only test builds know the feature `mutants`; without it [`broken`] is a constant and nothing of this is in the program. A
//! mutant is switched on for the present thread alone, so that other tests go on undisturbed.

/// A law, broken by one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// E1: of several candidates with one key the first is taken.
    AmbiguousIsMatched,
    /// E1: a key that a linked record holds is matched again.
    TakenKeyIsMatched,
    /// E1: in a family every candidate goes, not the first alone.
    FamilyShares,
    /// E1: who was left out because of a key stays so when it is free.
    FreedKeyForgotten,
    /// E1: nobody is looked up before it is made on a side that lists nothing.
    UnlistedIsNew,
    /// E2: the other side wins.
    PolicyInverted,
    /// E2: the earlier change wins.
    NewestInverted,
    /// E2: both sides are compared with the org's base.
    OneBaseForBoth,
    /// E2: at a first meeting a blank wins.
    BlankWins,
    /// E2: a read that is older than the base is believed.
    StaleReadBelieved,
    /// E2: a one-way pair flows both ways.
    DirectionIgnored,
    /// E3: an opt-in crosses although its own side was never seen opted out, or the other side moved.
    ReleaseLoosened,
    /// E3: a new record whose consent nobody knows is opted in.
    UnknownIsYes,
    /// E4: an interrupted read goes on at its mark without the pages that it had kept.
    StageForgotten,
    /// E4: a record whose stamp is the one last seen is passed by, whatever it holds.
    SameStampIsUnmoved,
    /// E5: a line is done although its records are no longer as the plan saw them, and so is what the plan does not speak of.
    PlanUnsifted,
    /// E6: nothing is journalled before it is sent.
    JournalSkipped,
    /// E6: the targets are not looked at before they are written.
    VerifySkipped,
    /// E6: what was sent becomes the base, not what the target holds.
    SentBecomesBase,
    /// E6: a chunk is committed before it is sent.
    CommitBeforeSend,
    /// E6: a refused write takes the new base all the same.
    RefusedTakesBase,
    /// E7: the cursor is kept before what it passed is pending or done.
    CursorBeforePending,
    /// E7: a record that must be looked at again is not made pending.
    PendingForgotten,
    /// E7: what a limit held back counts as done.
    LimitedIsDone,
    /// E7: a parked pair takes the present values as its bases.
    ParkedTakesBase,
    /// E7: a row lock is an error for good.
    LockIsFailure,
    /// E8: a pair that both sides write in turn goes on for ever.
    FightGoesOn,
    /// E9: what can't be read is taken for deleted.
    MissingIsDeleted,
    /// E9: linked records that a full read did not bring are not asked for.
    UnseenIsForgotten,
    /// E9: the records of a closed link are matched again.
    ClosedLinkIsMatched,
    /// E9: a delete is sent without looking at both records once more.
    DeleteUnverified,
    /// E10: deletes are not counted before they are released.
    DeletesUnbraked,
    /// E16: an undo writes over what somebody edited since.
    UndoOverwrites,
    /// E16: an undo leaves the bases as they were.
    UndoFlowsBack,
    /// E16: an undo deletes what nobody can tell to be untouched.
    UndoUnseen,
    /// E11: what was in flight is sent again without looking.
    UnknownIsRepeated,
    /// E11: what an interrupted run left in the journal is forgotten.
    RecoverySkipped,
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 37] = [
        Self::AmbiguousIsMatched,
        Self::TakenKeyIsMatched,
        Self::FamilyShares,
        Self::FreedKeyForgotten,
        Self::UnlistedIsNew,
        Self::PolicyInverted,
        Self::NewestInverted,
        Self::OneBaseForBoth,
        Self::BlankWins,
        Self::StaleReadBelieved,
        Self::DirectionIgnored,
        Self::ReleaseLoosened,
        Self::UnknownIsYes,
        Self::StageForgotten,
        Self::SameStampIsUnmoved,
        Self::PlanUnsifted,
        Self::JournalSkipped,
        Self::VerifySkipped,
        Self::SentBecomesBase,
        Self::CommitBeforeSend,
        Self::RefusedTakesBase,
        Self::CursorBeforePending,
        Self::PendingForgotten,
        Self::LimitedIsDone,
        Self::ParkedTakesBase,
        Self::LockIsFailure,
        Self::FightGoesOn,
        Self::MissingIsDeleted,
        Self::UnseenIsForgotten,
        Self::ClosedLinkIsMatched,
        Self::DeleteUnverified,
        Self::DeletesUnbraked,
        Self::UndoOverwrites,
        Self::UndoFlowsBack,
        Self::UndoUnseen,
        Self::UnknownIsRepeated,
        Self::RecoverySkipped,
    ];
}

#[cfg(feature = "mutants")]
thread_local! {
    static BROKEN: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Whether this law is broken on the present thread.
#[cfg(feature = "mutants")]
pub fn broken(mutant: Mutant) -> bool {
    BROKEN.get() == Some(mutant)
}

/// No law is broken.
#[cfg(not(feature = "mutants"))]
pub const fn broken(_: Mutant) -> bool {
    false
}

/// Breaks a law on the present thread, or none.
#[cfg(feature = "mutants")]
pub fn break_law(mutant: Option<Mutant>) {
    BROKEN.set(mutant);
}
