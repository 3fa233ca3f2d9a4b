//! Every row of the table of bad input, through the real binary: one sentence with cause and next step, the right exit code.

use forcesync::sandbox::org::{FieldPermission, ObjectPermission, OrgOptions};
use forcesync::sandbox::{Sandbox, SandboxOptions};
use rstest::rstest;
use serde_json::Value;

use crate::binary_stage::{Done, Stage, command, finish, run};

/// A refused sync: a sentence on stderr, an error object, and the same exit code.
async fn refused(stage: &Stage, code: i32, parts: &[&str]) {
    let done = stage.run(&["sync", "initial", "--json"]).await;
    done.says(code, parts);
    let error = done.objects().into_iter().find(|object| object["event"] == "error");
    let error = error.unwrap_or_else(|| panic!("no error object: {done:?}"));
    assert!(error["code"].is_string() && error["message"].is_string(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_client_secret_is_blocked() {
    let stage = Stage::new(20).await;
    stage.run_with_input(&["secret", "set", "salesforce.client_secret"], "wrong\n").await.says(0, &[]);
    stage.run(&["connection", "test", "salesforce", "--json"]).await.says(7, &["secret"]);
    refused(&stage, 7, &["secret"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_api_secret_is_blocked() {
    let stage = Stage::new(20).await;
    stage.run_with_input(&["secret", "set", "salesmanago.api_secret"], "wrong\n").await.says(0, &[]);
    stage.run(&["connection", "test", "platform", "--json"]).await.says(7, &["salesmanago"]);
    refused(&stage, 7, &["salesmanago"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_names_the_command_that_sets_it() {
    let stage = Stage::new(20).await;
    stage.run(&["secret", "remove", "salesforce.client_secret"]).await.says(0, &[]);
    refused(&stage, 2, &["salesforce.client_secret", "forcesync secret set"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_where_nobody_listens_is_no_network() {
    let stage = Stage::new(20).await;
    let url = stage.sandbox().ready().salesforce.url;
    stage.edit_settings(|text| text.replace(&url, "http://127.0.0.1:9"));
    stage.run(&["connection", "test", "salesforce", "--json"]).await.says(1, &["127.0.0.1"]);
    refused(&stage, 1, &["127.0.0.1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_exist_is_named() {
    let stage = Stage::new(20).await;
    let url = stage.sandbox().ready().salesforce.url;
    stage.edit_settings(|text| text.replace(&url, "https://no-such-org.invalid"));
    stage.run(&["connection", "test", "salesforce", "--json"]).await.says(1, &["no-such-org.invalid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_user_is_blocked() {
    let stage = Stage::new(20).await;
    stage.sandbox().org().set_locked(true);
    stage.run(&["check", "--json"]).await.says(7, &["user"]);
    refused(&stage, 7, &["user"]).await;
}

/// Tests the connection to an org behind one of the hosts that sign in the users of all orgs.
async fn at_generic_host(host: &str, environment: &str, is_sandbox: bool, sign_in: &str) -> Done {
    let folder = tempfile::tempdir().unwrap();
    let options = SandboxOptions {
        records: 20,
        tls: Some(vec![host.to_owned()]),
        org: OrgOptions { is_sandbox, ..OrgOptions::default() },
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::start(options).await.unwrap();
    let ready = sandbox.ready();
    let address = ready.salesforce.url.rsplit('/').next().unwrap().replace("localhost", "127.0.0.1");
    let workspace = folder.path().join("w");
    std::fs::create_dir_all(&workspace).unwrap();
    std::fs::write(workspace.join("ca.pem"), sandbox.ca_pem().unwrap()).unwrap();
    std::fs::write(
        workspace.join("forcesync.toml"),
        format!(
            "[salesforce]\nenvironment = \"{environment}\"\nsign_in = \"{sign_in}\"\nusername = \"{}\"\nclient_id = \"{}\"\n\
             ca_file = \"ca.pem\"\nresolve = [\"{host}={address}\"]\n",
            ready.salesforce.username, ready.salesforce.client_id
        ),
    )
    .unwrap();
    let mut test = command(&workspace, &["connection", "test", "salesforce", "--json"]);
    test.env("FORCESYNC_SALESFORCE_PASSWORD", &ready.salesforce.password)
        .env("FORCESYNC_SALESFORCE_SECURITY_TOKEN", &ready.salesforce.security_token)
        .env("FORCESYNC_SALESFORCE_CLIENT_SECRET", &ready.salesforce.client_secret);
    let done = finish(test, "").await;
    sandbox.stop().await;
    done
}

#[rstest]
#[case("soap")]
#[case("username_password")]
#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_user_on_the_production_host_is_told_where_sandbox_users_sign_in(#[case] sign_in: &str) {
    let done = at_generic_host("login.salesforce.com", "production", true, sign_in).await;
    done.says(7, &["login.salesforce.com", "environment “sandbox”", "test.salesforce.com"]);
    let done = at_generic_host("test.salesforce.com", "sandbox", false, sign_in).await;
    done.says(7, &["test.salesforce.com", "environment “production”"]);
    let done = at_generic_host("test.salesforce.com", "sandbox", true, sign_in).await;
    done.says(0, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_api_is_blocked() {
    let stage = Stage::new(20).await;
    stage.sandbox().org().set_api_disabled(true);
    stage.run(&["check", "--json"]).await.says(7, &["api"]);
    refused(&stage, 7, &["api"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_on_an_object_is_blocked() {
    let stage = Stage::new(20).await;
    let hidden = ObjectPermission { read: false, create: false, edit: false, delete: false };
    stage.sandbox().org().set_object_permission("Lead", hidden);
    stage.run(&["check", "--json"]).await.says(7, &["lead", "access"]);
    refused(&stage, 7, &["lead"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_on_a_field_is_named() {
    let stage = Stage::new(20).await;
    stage.sandbox().org().set_field_permission("Contact", "MobilePhone", FieldPermission::Hidden);
    stage.run(&["check", "--json"]).await.says(7, &["mobilephone", "permission"]);
    refused(&stage, 7, &["mobilephone", "permission"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_settings_file_is_told_by_line_column_and_nearest_name() {
    let stage = Stage::new(20).await;
    stage.edit_settings(|text| text.replace("sign_in =", "sign_inn ="));
    let parts = ["line ", "column ", "sign_in"];
    refused(&stage, 2, &parts).await;
    let validated = stage.run(&["config", "validate", "--json"]).await;
    validated.says(2, &parts);
    let problem = validated
        .objects()
        .into_iter()
        .find(|object| object["event"] == "problem" && object["severity"] == "error")
        .unwrap();
    assert_eq!(problem["suggestion"], "sign_in");
    assert!(problem["line"].as_u64().is_some() && problem["column"].as_u64().is_some(), "{problem}");
    // Looking is still possible.
    stage.run(&["status"]).await.says(0, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_outside_loopback_is_refused() {
    let stage = Stage::new(20).await;
    let url = stage.sandbox().ready().salesforce.url;
    stage.edit_settings(|text| text.replace(&url, "http://acme.example"));
    refused(&stage, 2, &["http", "acme.example"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let stage = Stage::with(20, Some(Vec::new())).await;
    stage.run(&["check"]).await.says(0, &[]);
    stage.edit_settings(|text| text.replace("ca_file = \"ca.pem\"", ""));
    refused(&stage, 2, &["certificate", "ca_file"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_told_with_the_way_out() {
    let stage = Stage::new(20).await;
    std::fs::write(
        stage.workspace().join("state.db"),
        b"this is no database at all, but long enough".repeat(200),
    )
    .unwrap();
    refused(&stage, 1, &["database", "doctor"]).await;
    stage.run(&["doctor", "--json"]).await.says(1, &["damaged", "doctor --rebuild"]);
    stage.run(&["status"]).await.says(1, &["database"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_nothing_is_lost() {
    let stage = Stage::new(300).await;
    // 100 kB is enough for an empty database, and not for three hundred people.
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -f 200; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_forcesync")]);
    limited.args(["--workspace".as_ref(), stage.workspace().as_os_str()]);
    limited.args(["sync", "initial", "--json"]);
    let done = finish(limited, "").await;
    done.says(1, &["room", "disk"]);
    let again = stage.run(&["sync", "initial", "--json"]).await;
    assert!([0, 3].contains(&again.code), "{again:?}");
    assert_eq!(again.last()["event"], "finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let done = run(&folder.path().join("nowhere"), &["status", "--json"], "").await;
    done.says(2, &["nowhere", "--workspace"]);
    assert_eq!(done.last()["event"], "error");
    assert!(!folder.path().join("nowhere").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_errors_exit_with_two() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["sync"][..], &["sync", "everything"], &["frobnicate"], &["secret", "set", "a", "b"]] {
        run(folder.path(), arguments, "").await.says(2, &["error"]);
    }
    run(folder.path(), &["--read-only", "sync", "initial"], "").await.says(2, &["--read-only", "console"]);
    let done = run(folder.path(), &["--json", "sync", "everything"], "").await;
    assert_eq!((done.last()["event"].as_str(), done.last()["code"].as_str()), (Some("error"), Some("usage")));
    run(folder.path(), &["secret", "set", "salesforce.pasword"], "x").await.says(2, &["salesforce.password"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_mapping_is_refused_before_anything_is_sent() {
    let stage = Stage::new(20).await;
    let done = stage.run(&["sync", "instant", "--mapping", "kontakt", "--json"]).await;
    done.says(2, &["kontakt", "contact"]);
    assert_eq!(done.last()["code"], "no_mapping");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_sync_before_the_first_initial_one_says_what_to_run() {
    let stage = Stage::new(20).await;
    for _ in 0..2 {
        let done = stage.run(&["sync", "instant", "--json"]).await;
        done.says(2, &["Contact", "forcesync sync initial"]);
        assert_eq!(done.last()["code"], "no_initial_sync");
    }
    assert_eq!(stage.run(&["runs", "--json"]).await.stdout, "", "a refusal is no run");
    stage.run(&["sync", "initial", "--json"]).await.says(0, &[]);
    stage.run(&["sync", "instant", "--json"]).await.says(0, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_is_no_panic() {
    let stage = Stage::new(20).await;
    let mut piped = std::process::Command::new("sh");
    piped.args(["-c", "\"$@\" | true", "sh", env!("CARGO_BIN_EXE_forcesync")]);
    piped.args(["--workspace".as_ref(), stage.workspace().as_os_str()]).arg("keys");
    finish(piped, "").await.says(0, &[]);
    let mut completions = command(&stage.workspace(), &["completions", "bash"]);
    let mut child = completions
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = crate::binary_stage::end_of(child).await;
    done.says(0, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_never_show_up_anywhere() {
    let stage = Stage::new(20).await;
    let secret = "tr0ub4dor-and-3";
    stage.run_with_input(&["secret", "set", "salesforce.password"], secret).await.says(0, &[]);
    stage.run(&["sync", "initial", "--json", "-vv"]).await;
    for arguments in
        [&["secret", "list", "--json"][..], &["connection", "show", "--json"], &["check", "--json", "-vv"]]
    {
        let done = stage.run(arguments).await;
        assert!(!done.stdout.contains(secret) && !done.stderr.contains(secret), "{done:?}");
    }
    for file in ["forcesync.toml", "vault", "log/forcesync.log", "state.db"] {
        let content = std::fs::read(stage.workspace().join(file)).unwrap_or_default();
        let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{file} holds a secret");
    }
    let listed: Vec<Value> = stage.run(&["secret", "list", "--json"]).await.objects();
    assert!(listed.iter().any(|line| line["name"] == "salesforce.password" && line["place"] == "vault"));
}
