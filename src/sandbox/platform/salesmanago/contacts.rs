//! All contacts, with the ways in: by id, by owner and e-mail, by last change.
//! Knows nothing of requests; `write`, `read` and `changes` use it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::contact::{Contact, ContactId};

/// The contacts of one account.
#[derive(Default)]
pub struct Contacts {
    all: Vec<Contact>,
    by_id: HashMap<ContactId, u32>,
    /// One map an owner: the same e-mail under another owner is another contact.
    by_email: Vec<HashMap<Box<str>, u32>>,
    by_change: BTreeSet<(i64, u32)>,
    by_creation: BTreeSet<(i64, u32)>,
    /// Moves with every change, so that a cached listing knows when it is stale.
    version: u64,
    /// Moves when a contact comes or goes, which is all that listings without stamps depend on.
    population: u64,
    live: usize,
    listing: Mutex<Option<Listing>>,
    created: Mutex<Option<Listing>>,
    modified: Mutex<Option<Listing>>,
}

/// Which stamp a window is laid over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// The day it came to be.
    Created,
    /// The last change.
    Modified,
}

/// A listing that was cut into pages once and is kept for the next page.
struct Listing {
    key: (u64, u16, i64, i64),
    positions: Arc<Vec<u32>>,
}

/// The e-mail as it is compared: the service finds contacts whatever the case.
pub fn folded(email: &str) -> Box<str> {
    email.trim().to_lowercase().into_boxed_str()
}

impl Contacts {
    /// The contact at a position.
    pub fn get(&self, position: u32) -> Option<&Contact> {
        self.all.get(position as usize)
    }

    /// The contact with this id, deleted or not.
    pub fn by_id(&self, id: ContactId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// The contact of this owner with this e-mail, deleted or not; a live one hides a deleted one.
    pub fn by_email(&self, owner: u16, email: &str) -> Option<u32> {
        self.by_email.get(usize::from(owner))?.get(&folded(email)).copied()
    }

    /// The live contact of this owner with this e-mail.
    pub fn live_by_email(&self, owner: u16, email: &str) -> Option<u32> {
        self.by_email(owner, email)
            .filter(|position| self.get(*position).is_some_and(|contact| !contact.deleted))
    }

    /// The contacts of any owner with this e-mail.
    pub fn by_email_of_anybody(&self, email: &str) -> Vec<u32> {
        let key = folded(email);
        self.by_email.iter().filter_map(|map| map.get(&key).copied()).collect()
    }

    /// Every contact, deleted ones too, in order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = &Contact> {
        self.all.iter()
    }

    /// How many are not deleted.
    pub fn live(&self) -> usize {
        self.live
    }

    /// How many are deleted.
    pub fn deleted(&self) -> usize {
        self.all.len() - self.live
    }

    /// Adds a contact.
    pub fn insert(&mut self, contact: Contact) -> u32 {
        let position = self.all.len() as u32;
        let owner = usize::from(contact.owner);
        while self.by_email.len() <= owner {
            self.by_email.push(HashMap::new());
        }
        if let Some(map) = self.by_email.get_mut(owner) {
            map.insert(folded(&contact.email), position);
        }
        self.by_id.insert(contact.id, position);
        if !contact.deleted {
            self.by_change.insert((contact.modified_on, position));
            self.by_creation.insert((contact.created_on, position));
            self.live += 1;
        }
        self.all.push(contact);
        self.version += 1;
        self.population += 1;
        position
    }

    /// Changes a contact and stamps it, whether or not a value really differs.
    pub fn change<T>(
        &mut self,
        position: u32,
        now: i64,
        change: impl FnOnce(&mut Contact) -> T,
    ) -> Option<T> {
        let contact = self.all.get_mut(position as usize)?;
        let before = (contact.modified_on, contact.deleted);
        let result = change(contact);
        contact.modified_on = now;
        let deleted = contact.deleted;
        if !before.1 {
            self.by_change.remove(&(before.0, position));
        }
        if !deleted {
            self.by_change.insert((now, position));
        }
        self.version += 1;
        Some(result)
    }

    /// Gives a contact another e-mail. The caller has made sure that it is free.
    pub fn rename(&mut self, position: u32, email: &str) {
        let Some(contact) = self.all.get_mut(position as usize) else { return };
        let owner = usize::from(contact.owner);
        let before = folded(&contact.email);
        contact.email = email.into();
        if let Some(map) = self.by_email.get_mut(owner) {
            if map.get(&before) == Some(&position) {
                map.remove(&before);
            }
            map.insert(folded(email), position);
        }
        self.version += 1;
    }

    /// Moves a contact to another owner. The caller has made sure that the e-mail is free there.
    pub fn hand_over(&mut self, position: u32, owner: u16) {
        let Some(contact) = self.all.get_mut(position as usize) else { return };
        let key = folded(&contact.email);
        let before = usize::from(contact.owner);
        contact.owner = owner;
        if let Some(map) = self.by_email.get_mut(before) {
            map.remove(&key);
        }
        while self.by_email.len() <= usize::from(owner) {
            self.by_email.push(HashMap::new());
        }
        if let Some(map) = self.by_email.get_mut(usize::from(owner)) {
            map.insert(key, position);
        }
        self.version += 1;
        self.population += 1;
    }

    /// Deletes a contact: it leaves all listings and feeds, and stays readable with its flag.
    pub fn delete(&mut self, position: u32, now: i64) -> bool {
        let Some(contact) = self.get(position) else { return false };
        if contact.deleted {
            return false;
        }
        let created = contact.created_on;
        self.change(position, now, |contact| contact.deleted = true);
        self.by_creation.remove(&(created, position));
        self.live -= 1;
        self.population += 1;
        true
    }

    /// The live contacts of an owner in order of arrival. Kept between calls, since exports page through it.
    pub fn listing(&self, owner: u16) -> Arc<Vec<u32>> {
        cached(&self.listing, (self.population, owner, 0, 0), || {
            let mut positions = Vec::with_capacity(self.live);
            for (position, contact) in self.all.iter().enumerate() {
                if contact.owner == owner && !contact.deleted {
                    positions.push(position as u32);
                }
            }
            positions
        })
    }

    /// The live contacts of an owner whose stamp lies in `[from, to]`, oldest first.
    pub fn window(&self, stamp: Stamp, owner: u16, from: i64, to: i64) -> Arc<Vec<u32>> {
        let (index, cache) = match stamp {
            Stamp::Created => (&self.by_creation, &self.created),
            Stamp::Modified => (&self.by_change, &self.modified),
        };
        if from > to {
            return Arc::default();
        }
        cached(cache, (self.version, owner, from, to), || {
            index
                .range((from, 0)..=(to, u32::MAX))
                .filter(|(_, position)| self.get(*position).is_some_and(|contact| contact.owner == owner))
                .map(|(_, position)| *position)
                .collect()
        })
    }
}

fn cached(
    cache: &Mutex<Option<Listing>>,
    key: (u64, u16, i64, i64),
    make: impl FnOnce() -> Vec<u32>,
) -> Arc<Vec<u32>> {
    let mut slot = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(listing) = slot.as_ref().filter(|listing| listing.key == key) {
        return Arc::clone(&listing.positions);
    }
    let positions = Arc::new(make());
    *slot = Some(Listing { key, positions: Arc::clone(&positions) });
    positions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts() -> Contacts {
        let mut contacts = Contacts::default();
        for number in 0..4_u32 {
            let id = ContactId(u128::from(number));
            contacts.insert(Contact::new(id, 0, &format!("P{number}@x.example"), i64::from(number) * 10));
        }
        contacts
    }

    /// platform-salesmanago.md §6: contacts belong to an owner.
    #[test]
    fn an_email_is_found_whatever_its_case_and_only_under_its_owner() {
        let contacts = contacts();
        assert_eq!(contacts.by_email(0, " p2@X.EXAMPLE"), Some(2));
        assert_eq!(contacts.by_email(1, "p2@x.example"), None);
    }

    /// platform-salesmanago.md §7: any change moves `modifiedOn`.
    #[test]
    fn a_change_moves_a_contact_in_the_window_of_changes_but_not_of_creations() {
        let mut contacts = contacts();
        assert_eq!(*contacts.window(Stamp::Modified, 0, 0, 15), vec![0, 1]);
        contacts.change(0, 500, |contact| contact.name = "New".into());
        assert_eq!(*contacts.window(Stamp::Modified, 0, 0, 15), vec![1]);
        assert_eq!(*contacts.window(Stamp::Modified, 0, 500, 500), vec![0]);
        assert_eq!(*contacts.window(Stamp::Created, 0, 0, 15), vec![0, 1]);
    }

    #[test]
    fn a_deleted_contact_leaves_listings_and_stays_readable() {
        let mut contacts = contacts();
        assert!(contacts.delete(1, 99));
        assert!(!contacts.delete(1, 99));
        assert_eq!(*contacts.listing(0), vec![0, 2, 3]);
        assert_eq!(contacts.by_email(0, "p1@x.example"), Some(1));
        assert_eq!(contacts.live_by_email(0, "p1@x.example"), None);
        assert_eq!((contacts.live(), contacts.deleted()), (3, 1));
    }

    #[test]
    fn a_renamed_contact_is_found_by_its_new_email_only() {
        let mut contacts = contacts();
        contacts.rename(3, "new@x.example");
        assert_eq!(contacts.by_email(0, "p3@x.example"), None);
        assert_eq!(contacts.by_email(0, "NEW@x.example"), Some(3));
    }
}
