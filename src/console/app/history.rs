//! Undo and redo of local edits. Writes to the remotes are never undone here.

/// A value with its past and future, and the saved value that it is compared with.
#[derive(Clone)]
pub struct History<T> {
    past: Vec<T>,
    present: T,
    future: Vec<T>,
}

/// More steps than anybody takes back.
const DEEPEST: usize = 200;

impl<T: Clone> History<T> {
    /// Starts from a value.
    pub fn new(present: T) -> Self {
        Self { past: Vec::new(), present, future: Vec::new() }
    }

    /// The present value.
    pub fn now(&self) -> &T {
        &self.present
    }

    /// Makes an edit that can be undone.
    pub fn edit(&mut self, edit: impl FnOnce(&mut T)) {
        if self.past.len() >= DEEPEST {
            self.past.remove(0);
        }
        self.past.push(self.present.clone());
        self.future.clear();
        edit(&mut self.present);
    }

    /// Replaces the value without a step back.
    pub fn reset(&mut self, present: T) {
        *self = Self::new(present);
    }

    /// Changes the value without a step, in every step there is; for what is not an edit, such as an id looked up while saving.
    pub fn amend(&mut self, amend: impl FnOnce(&mut T)) {
        amend(&mut self.present);
    }

    /// Takes the last edit back; tells whether there was one.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.past.pop() else { return false };
        self.future.push(std::mem::replace(&mut self.present, before));
        true
    }

    /// Makes the last undone edit again; tells whether there was one.
    pub fn redo(&mut self) -> bool {
        let Some(after) = self.future.pop() else { return false };
        self.past.push(std::mem::replace(&mut self.present, after));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undo_and_redo_walk_the_edits() {
        let mut history = History::new(1);
        history.edit(|value| *value = 2);
        history.edit(|value| *value = 3);
        assert!(history.undo() && history.undo());
        assert!(!history.undo());
        assert_eq!(*history.now(), 1);
        assert!(history.redo());
        assert_eq!(*history.now(), 2);
        history.edit(|value| *value = 9);
        assert!(!history.redo());
    }
}
