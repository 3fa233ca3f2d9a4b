//! Where each field of a mapping stands in the service's contacts.

use crate::domain::record::Selection;

/// The prefix of standard details.
pub(super) const DETAILS: &str = "details.";

/// The place of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Id,
    Email,
    Name,
    Phone,
    Fax,
    Company,
    ExternalId,
    State,
    Street,
    ZipCode,
    City,
    Country,
    Province,
    Birthday,
    OptedOut,
    OptedOutPhone,
    Tags,
    CreatedOn,
    ModifiedOn,
    Score,
    LastVisit,
    Invalid,
    /// A standard detail of this name.
    Detail(Box<str>),
    /// No field of ours; it is never returned.
    Nowhere,
}

/// The names, as the profile has them.
const NAMES: &[(&str, Place)] = &[
    ("id", Place::Id),
    ("email", Place::Email),
    ("name", Place::Name),
    ("phone", Place::Phone),
    ("fax", Place::Fax),
    ("company", Place::Company),
    ("externalId", Place::ExternalId),
    ("state", Place::State),
    ("address.streetAddress", Place::Street),
    ("address.zipCode", Place::ZipCode),
    ("address.city", Place::City),
    ("address.country", Place::Country),
    ("province", Place::Province),
    ("birthday", Place::Birthday),
    ("optedOut", Place::OptedOut),
    ("optedOutPhone", Place::OptedOutPhone),
    ("tags", Place::Tags),
    ("createdOn", Place::CreatedOn),
    ("modifiedOn", Place::ModifiedOn),
    ("score", Place::Score),
    ("lastVisit", Place::LastVisit),
    ("invalid", Place::Invalid),
];

impl Place {
    /// The place of a name.
    pub(super) fn of(name: &str) -> Self {
        if let Some((_, place)) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            return place.clone();
        }
        match name.split_at_checked(DETAILS.len()) {
            Some((prefix, detail)) if prefix.eq_ignore_ascii_case(DETAILS) && !detail.is_empty() => {
                Self::Detail(detail.into())
            }
            _ => Self::Nowhere,
        }
    }

    /// The places of a selection.
    pub(super) fn of_all(selection: &Selection) -> Vec<Self> {
        selection.names().iter().map(|name| Self::of(name)).collect()
    }

    /// Whether answers that list contacts in full carry it. A province is never returned.
    pub(super) fn is_returned(&self) -> bool {
        !matches!(self, Self::Province | Self::Nowhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::platform::profile::profile;

    #[test]
    fn the_profile_and_the_places_know_the_same_fields() {
        let profile = profile("salesmanago").unwrap();
        let contact = profile.object("contact").unwrap();
        for field in &contact.fields {
            assert_ne!(Place::of(&field.name), Place::Nowhere, "{}", field.name);
        }
        assert_eq!(contact.fields.len(), NAMES.len());
    }

    #[test]
    fn details_have_any_name() {
        assert_eq!(Place::of("details.SF_Title"), Place::Detail("SF_Title".into()));
        assert_eq!(Place::of("details."), Place::Nowhere);
        assert_eq!(Place::of("détails.x"), Place::Nowhere);
        assert_eq!(Place::of("EMAIL"), Place::Email);
    }
}
