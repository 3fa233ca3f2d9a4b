//! How the simulated platform behaves: what each platform can do stands in its own file (`assets/platforms`), and what its fact
//! sheet says besides stands here. Every seed is one of them in turn, so that all proofs run with the tables of all.

use std::time::Duration;

use forcesync::domain::mapping::Direction;
use forcesync::domain::port::{Addressing, Capabilities, ConsentDefault, Stamps};
use forcesync::domain::profile::{profile, profiles};
use forcesync::domain::side::Side;

/// How long after its stamp a change may become visible.
pub const SETTLE_MILLIS: i64 = 600_000;

/// What a feed of the platform brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// What changed since a moment.
    Changes,
    /// All there is, each time.
    Whole,
    /// Nothing: only what is looked up is seen.
    Nothing,
}

/// How the platform behaves.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The platform and the object of it that plays the contact.
    pub name: String,
    pub capabilities: Capabilities,
    pub direction: Direction,
    /// The objects of the org that are synchronized with it.
    pub org_objects: &'static [&'static str],
    pub feed: Feed,
    /// Whether records can be deleted through its interface.
    pub deletes: bool,
    /// Whether it tells of a record that it is gone.
    pub tells_fates: bool,
    /// Whether no two records have one address.
    pub unique: bool,
    /// Whether a record that is created over one with its address is that one.
    pub upserts: bool,
    /// Whether records can be found by the org's id that they carry.
    pub finds_mark: bool,
}

/// What a platform's file does not say.
struct Cast {
    kind: &'static str,
    object: &'static str,
    org_objects: &'static [&'static str],
    feed: Feed,
    /// Other than what the file allows.
    direction: Option<Direction>,
    tells_fates: bool,
    upserts: bool,
}

const PEOPLE: &[&str] = &["Contact", "Lead"];

const CASTS: [Cast; 8] = [
    // A write to an address that is there already changes that contact (platform-salesmanago.md §5).
    Cast { upserts: true, ..cast("salesmanago", "contact", PEOPLE) },
    cast("deployteq", "customer", PEOPLE),
    // Without SOAP nothing is listed, and edits reach the org by a campaign and not through us (F110).
    Cast {
        feed: Feed::Nothing,
        direction: Some(Direction::ToPlatform),
        ..cast("deployteq", "customer", PEOPLE)
    },
    Cast { feed: Feed::Nothing, ..cast("deployteq", "table.people", &["Contact"]) },
    cast("learndot", "contact", &["Contact"]),
    Cast { tells_fates: false, ..cast("novoed", "user", &["Contact"]) },
    cast("spotio", "lead", &["Lead"]),
    Cast { feed: Feed::Whole, ..cast("csv", "Contact", PEOPLE) },
];

const fn cast(kind: &'static str, object: &'static str, org_objects: &'static [&'static str]) -> Cast {
    Cast {
        kind,
        object,
        org_objects,
        feed: Feed::Changes,
        direction: None,
        tells_fates: true,
        upserts: false,
    }
}

impl Manner {
    /// How many there are.
    pub const NUMBER: u64 = CASTS.len() as u64 + 2;

    /// The one of a seed.
    pub fn of(seed: u64) -> Self {
        let place = usize::try_from(seed % Self::NUMBER).unwrap();
        match place {
            0 => Self::able(),
            1 => Self::coarse(),
            place => Self::cast(&CASTS[place - 2]),
        }
    }

    /// A platform that can do all there is, which lets least of what goes wrong come right by itself.
    pub fn able() -> Self {
        Self {
            name: "a platform that can do everything".into(),
            capabilities: Capabilities {
                stamps: Stamps::Seconds,
                author: false,
                tombstones: true,
                settle: Duration::from_millis(SETTLE_MILLIS as u64),
                addressing: Addressing::ById,
                read_batch: 50,
                write_batch: 7,
                consent_default: ConsentDefault::No,
            },
            direction: Direction::Both,
            org_objects: PEOPLE,
            feed: Feed::Changes,
            deletes: true,
            tells_fates: true,
            unique: false,
            upserts: true,
            finds_mark: false,
        }
    }

    /// The same, but it tells no deletions and stamps that are days, which no platform has so far.
    fn coarse() -> Self {
        let able = Self::able();
        let capabilities = Capabilities { stamps: Stamps::Days, tombstones: false, ..able.capabilities };
        Self { name: "a platform that tells days".into(), capabilities, ..able }
    }

    fn cast(cast: &Cast) -> Self {
        let object = profile(cast.kind).unwrap().object(cast.object).unwrap();
        let able = Self::able();
        let limits = &able.capabilities;
        let mark =
            object.mark.as_deref().and_then(|mark| object.fields.iter().find(|field| field.name == mark));
        let mut addresses =
            object.fields.iter().filter(|field| field.name.to_lowercase().starts_with("email"));
        Self {
            name: format!("{} {} {:?}", cast.kind, cast.object, cast.feed),
            capabilities: object.capabilities(limits.read_batch, limits.write_batch, limits.settle),
            direction: cast.direction.unwrap_or(object.directions[0]),
            org_objects: cast.org_objects,
            feed: cast.feed,
            deletes: object.deleteable,
            tells_fates: cast.tells_fates,
            unique: addresses.any(|field| field.unique),
            upserts: cast.upserts,
            finds_mark: mark.is_some_and(|field| field.external_id),
        }
    }

    /// The object of the org that takes the place of one that is not synchronized.
    pub fn org_object(&self, wanted: &'static str) -> &'static str {
        if self.org_objects.contains(&wanted) { wanted } else { self.org_objects[0] }
    }

    /// Whether the sync may write there.
    pub fn writes(&self, side: Side) -> bool {
        self.direction.allows(side)
    }

    /// Whether its records are addressed by the org's id, which is their key.
    pub fn by_key(&self) -> bool {
        self.capabilities.addressing == Addressing::ByKey
    }

    /// Whether what people delete there is found by the next instant sync, and not only by a full one.
    pub fn tells_deletions(&self) -> bool {
        self.capabilities.tombstones
    }
}

#[test]
fn every_platform_is_played_as_its_file_says() {
    for profile in profiles() {
        assert!(CASTS.iter().any(|cast| cast.kind == profile.kind), "nobody plays {}", profile.kind);
    }
    let played: Vec<Manner> = (0..Manner::NUMBER).map(Manner::of).collect();
    let some = |is: fn(&Manner) -> bool| played.iter().any(is) && !played.iter().all(is);
    assert!(some(|manner| manner.capabilities.stamps == Stamps::Absent));
    assert!(some(|manner| manner.capabilities.author));
    assert!(some(Manner::tells_deletions));
    assert!(some(Manner::by_key));
    assert!(some(|manner| manner.direction == Direction::Both));
    assert!(some(|manner| manner.capabilities.consent_default == ConsentDefault::Yes));
}
