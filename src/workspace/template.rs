//! The settings file of a new workspace: every part is there, explained, and empty.

/// Lines of a new file that show how a setting would be written: the table it is in, its name, and the line.
const SAMPLES: [(&str, &str, &str); 2] = [
    (
        "workspace",
        "secrets",
        "# secrets = \"vault\"              # or \"keyring\"; without it the keyring where one answers, else the vault\n",
    ),
    ("schedule", "quiet", "# quiet = \"22:00-06:00\"          # hours in which automatic sync rests\n"),
];

/// Takes away the samples of settings that are now really made.
pub(super) fn without_needless_samples(text: String, document: &toml_edit::DocumentMut) -> String {
    let made = |table: &str, name: &str| document.get(table).and_then(|table| table.get(name)).is_some();
    SAMPLES
        .into_iter()
        .filter(|(table, name, _)| made(table, name))
        .fold(text, |text, (_, _, line)| text.replacen(line, "", 1))
}

/// The text of a new settings file.
pub fn settings_text(name: &str) -> String {
    let name = toml_edit::Value::from(name);
    format!(
        r#"# The settings of one forcesync workspace. The console edits this file too, and keeps your comments.
# Secrets (passwords, tokens, API secrets) never belong in here: use the console or "forcesync secret set".

[workspace]
name = {name}
# secrets = "vault"              # or "keyring"; without it the keyring where one answers, else the vault

[salesforce]
environment = "production"       # "sandbox", or "custom" for the address in my_domain
my_domain = ""                   # https://acme.my.salesforce.com
sign_in = "client_credentials"   # "browser", "username_password" or "soap"
username = ""
client_id = ""
api_version = "67.0"
api_reserve_percent = 20         # of the org's daily API calls, left to others

[platform]
kind = "salesmanago"

[platform.salesmanago]
endpoint = ""                    # https://app2.salesmanago.com
client_id = ""
owner = ""                       # the user whose account is used for the synchronization
account_name = ""                # the Salesforce account to which new contacts are assigned

[schedule]
automatic = false
every = "5m"                     # 30s, 5m, 1h, 1d
# quiet = "22:00-06:00"          # hours in which automatic sync rests

# A run stops and asks when it would touch more than this part of all linked records.
[sync]
create_percent = 10
update_percent = 50
blank_percent = 5
delete_percent = 1
opt_out_percent = 5
minimum = 20                     # up to this many never stop a run

# History and log are kept so long; what each side last held is kept as long as the records are linked.
[history]
retention_days = 90              # 0 keeps them for ever

# Makes sure that no record is missed, while automatic sync is on.
[audit]
every = "7d"                     # or "never"
reread_percent_per_day = 15      # of the linked records, whatever their stamps say

# Mappings follow, each [[mapping]] with its [[mapping.pair]]s; their order is their precedence.
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::file::read_settings;
    use crate::workspace::settings::{Settings, WorkspaceSettings};

    #[test]
    fn a_new_file_says_the_defaults() {
        let (settings, problems) = read_settings(&settings_text("Acme \"live\""));
        assert_eq!(problems, []);
        let workspace = WorkspaceSettings { name: "Acme \"live\"".into(), secrets: None };
        assert_eq!(settings, Settings { workspace, ..Settings::default() });
    }

    #[test]
    fn every_sample_stands_in_a_new_file() {
        for (_, _, line) in SAMPLES {
            assert!(settings_text("w").contains(line), "{line}");
        }
    }

    #[test]
    fn a_sample_goes_when_its_setting_is_made() {
        let text = settings_text("w").replace("name = \"w\"\n", "name = \"w\"\nsecrets = \"vault\"\n");
        let mended = without_needless_samples(text.clone(), &text.parse().unwrap());
        assert_eq!(mended.matches("secrets = ").count(), 1);
        assert!(mended.contains("# quiet = "));
    }
}
