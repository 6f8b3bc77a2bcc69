//! Completions: scripts of shells, and the answers to what kubectl asks through `kubectl_complete-analysis`.
//!
//! kubectl completes `kubectl analysis <TAB>` by running the program `kubectl_complete-analysis` with the words typed
//! so far, the unfinished one last. It reads a candidate a line, a tab before its description, and at the end a colon
//! with what else the shell may offer.

use analysisjob::AnalysisJob;
use clap::{Arg, CommandFactory};
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Resource, api::ListParams};
use plan::exit;
use serde::de::DeserializeOwned;
use std::{fmt::Debug, path::PathBuf, time::Duration};

use super::{
    args::{Args, ClusterArgs, CompleteArgs, CompletionsArgs},
    connect::{connect, contexts, kubeconfig},
    console::Console,
    error::PluginError,
};

/// The helper kubectl runs; it is in the help text too.
pub const HELPER: &str = "#!/bin/sh\nexec kubectl-analysis __complete \"$@\"\n";
/// What kubectl is told at the end: offer nothing but the candidates.
const NOTHING_ELSE: &str = ":4\n";
/// What kubectl is told at the end: offer files too.
const FILES: &str = ":0\n";
/// Nobody waits longer for a completion.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prints the script of a shell, or the helper of kubectl.
pub fn script(args: &CompletionsArgs, console: &mut Console<'_>) -> Result<u8, PluginError> {
    let mut script = Vec::new();
    match args.shell.shell() {
        Some(shell) => clap_complete::generate(shell, &mut Args::command(), "kubectl-analysis", &mut script),
        None => script.extend(HELPER.as_bytes()),
    }
    console.print(&String::from_utf8_lossy(&script))?;
    Ok(exit::DONE)
}

/// Answers kubectl. Whatever goes wrong, there is just nothing to offer.
pub async fn run(args: &CompleteArgs, cluster: &ClusterArgs, console: &mut Console<'_>) -> Result<u8, PluginError> {
    let (before, word) = match args.words.split_last() {
        Some((word, before)) => (before, word.as_str()),
        None => (&[][..], ""),
    };
    let cluster = typed_cluster(before, cluster);
    let asked = asked(before, word);
    let candidates = match &asked {
        Asked::Known(candidates) => candidates.clone(),
        Asked::Jobs => tokio::time::timeout(PATIENCE, names::<AnalysisJob>(&cluster)).await.unwrap_or_default(),
        Asked::Namespaces => tokio::time::timeout(PATIENCE, namespaces(&cluster)).await.unwrap_or_default(),
        Asked::Contexts => kubeconfig(cluster.kubeconfig.as_deref()).map(|c| contexts(&c)).unwrap_or_default(),
        Asked::Files | Asked::Nothing => Vec::new(),
    };
    let mut text: String =
        candidates.iter().filter(|name| name.starts_with(word)).map(|name| format!("{name}\n")).collect();
    text.push_str(if asked == Asked::Files { FILES } else { NOTHING_ELSE });
    console.print(&text)?;
    Ok(exit::DONE)
}

/// What fits where the cursor is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    /// These words, each with a tab and its description where it has one.
    Known(Vec<String>),
    Jobs,
    Namespaces,
    Contexts,
    Files,
    Nothing,
}

/// What fits after `before`, when `word` is typed so far. Pure.
fn asked(before: &[String], word: &str) -> Asked {
    let mut root = Args::command();
    root.build();
    let flag_of = |command: &clap::Command, word: &str| {
        command.get_arguments().find(|arg| is_flag(arg, word)).filter(|arg| arg.get_action().takes_values()).cloned()
    };
    let (mut command, mut positionals, mut pending) = (root.clone(), 0, None::<Arg>);
    for word in before {
        if pending.take().is_some() {
            continue;
        }
        if word.starts_with('-') {
            pending = flag_of(&command, word);
        } else if let Some(found) = command.find_subcommand(word).cloned() {
            command = found;
        } else {
            positionals += 1;
        }
    }
    if let Some(flag) = pending {
        return value_of(&flag);
    }
    if word.starts_with('-') {
        return Asked::Known(command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(long).collect());
    }
    if command.has_subcommands() {
        let visible = command.get_subcommands().filter(|sub| !sub.is_hide_set());
        let described = |sub: &clap::Command| format!("{}\t{}", sub.get_name(), sub.get_about().unwrap_or(&"".into()));
        return Asked::Known(visible.map(described).collect());
    }
    command.get_positionals().nth(positionals).map_or(Asked::Nothing, value_of)
}

fn is_flag(arg: &Arg, word: &str) -> bool {
    let long = word.strip_prefix("--").is_some_and(|word| arg.get_long() == Some(word));
    let short =
        word.strip_prefix('-').is_some_and(|word| arg.get_short().is_some_and(|short| word == short.to_string()));
    long || short
}

fn long(arg: &Arg) -> Option<String> {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    arg.get_long().map(|long| format!("--{long}\t{help}"))
}

/// What fits as the value of an argument, by its name.
fn value_of(arg: &Arg) -> Asked {
    let known: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    match arg.get_id().as_str() {
        _ if !known.is_empty() => Asked::Known(known),
        "name" => Asked::Jobs,
        "namespace" => Asked::Namespaces,
        "context" => Asked::Contexts,
        "file" | "kubeconfig" | "to" => Asked::Files,
        _ => Asked::Nothing,
    }
}

/// The cluster the words so far name: the line is unfinished, so clap does not read it.
fn typed_cluster(before: &[String], given: &ClusterArgs) -> ClusterArgs {
    let value = |long: &str, short: &str| {
        let at = before.iter().position(|word| word == long || (!short.is_empty() && word == short));
        let next = at.and_then(|at| before.get(at + 1).cloned());
        next.or_else(|| before.iter().find_map(|word| Some(word.strip_prefix(long)?.strip_prefix('=')?.to_owned())))
    };
    ClusterArgs {
        namespace: value("--namespace", "-n").or_else(|| given.namespace.clone()),
        context: value("--context", "").or_else(|| given.context.clone()),
        kubeconfig: value("--kubeconfig", "").map(PathBuf::from).or_else(|| given.kubeconfig.clone()),
    }
}

async fn names<K>(cluster: &ClusterArgs) -> Vec<String>
where
    K: Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let Ok(session) = connect(cluster).await else { return Vec::new() };
    listed(&Api::<K>::namespaced(session.client.clone(), &session.namespace)).await
}

async fn namespaces(cluster: &ClusterArgs) -> Vec<String> {
    let Ok(session) = connect(cluster).await else { return Vec::new() };
    listed(&Api::<Namespace>::all(session.client.clone())).await
}

async fn listed<K: Resource + Clone + DeserializeOwned + Debug>(api: &Api<K>) -> Vec<String> {
    let listed = api.list_metadata(&ListParams::default()).await.map(|list| list.items).unwrap_or_default();
    listed.into_iter().filter_map(|item| item.metadata.name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{args::Target, testing::Desk};

    fn fits(line: &str) -> Asked {
        let words: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        let (word, before) = words.split_last().unwrap();
        asked(before, word)
    }

    fn known(line: &str) -> Vec<String> {
        let Asked::Known(words) = fits(line) else { panic!("{line}") };
        words.iter().map(|word| word.split('\t').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_place_of_the_line_has_its_candidates() {
        assert_eq!(known(""), ["plan", "status", "failures", "retry", "top", "report", "completions", "help"]);
        assert_eq!(known("status x -o "), ["text", "json"]);
        assert_eq!(known("completions "), ["bash", "zsh", "fish", "elvish", "powershell", "kubectl"]);
        assert!(known("status x --").contains(&"--watch".to_owned()));
        let asked =
            ["status ", "status --watch ", "status -n science ", "status x ", "plan ", "top -n ", "top --context "];
        let expected =
            [Asked::Jobs, Asked::Jobs, Asked::Jobs, Asked::Nothing, Asked::Files, Asked::Namespaces, Asked::Contexts];
        assert_eq!(asked.map(fits), expected);
    }

    #[test]
    fn the_unfinished_line_names_its_cluster() {
        let words = ["status", "-n", "science", "--context=prod"].map(ToOwned::to_owned);
        let cluster = typed_cluster(&words, &ClusterArgs::default());
        assert_eq!((cluster.namespace.as_deref(), cluster.context.as_deref()), (Some("science"), Some("prod")));
    }

    #[tokio::test]
    async fn kubectl_is_answered_in_its_own_format() {
        let mut desk = Desk::default();
        let args = CompleteArgs { words: vec!["sta".to_owned()] };
        run(&args, &ClusterArgs::default(), &mut desk.console()).await.unwrap();
        assert_eq!(desk.out(), "status\tSay how far an AnalysisJob is, and what keeps it\n:4\n");
    }

    #[test]
    fn scripts_know_the_subcommands_and_the_help_shows_the_helper() {
        for shell in [Target::Bash, Target::Zsh, Target::Fish, Target::Elvish, Target::PowerShell] {
            let mut desk = Desk::default();
            script(&CompletionsArgs { shell }, &mut desk.console()).unwrap();
            assert!(desk.out().contains("failures"), "{shell:?}");
        }
        let mut desk = Desk::default();
        script(&CompletionsArgs { shell: Target::Kubectl }, &mut desk.console()).unwrap();
        assert_eq!(desk.out(), HELPER);
        let mut root = Args::command();
        let help = root.find_subcommand_mut("completions").unwrap().render_long_help().to_string();
        assert!(HELPER.lines().all(|line| help.contains(line)), "{help}");
    }
}
