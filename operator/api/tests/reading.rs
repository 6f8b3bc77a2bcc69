//! The YAML door: what it says about files that are wrong as a whole, and what it promises for every file.

use analysisjob::{AnalysisJob, yaml};
use proptest::prelude::*;

const GOOD: &str = "\
apiVersion: camhd.science/v1alpha1
kind: AnalysisJob
metadata:
  name: a-job
spec:
  source:
    http: {rootURL: http://archive.test/files/}
    prefixes: [RS03/]
  analysis:
    opticalFlow: {}
  output:
    persistentVolumeClaim: {claimName: out}
";

fn refusal(text: &str) -> String {
    yaml::read(text).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn every_problem_is_said_at_once_with_its_line() {
    let text = GOOD
        .replace("opticalFlow: {}", "opticalFlow:\n      stride: 0\n      metod: DIS")
        .replace("[RS03/]", "[/RS03/]")
        .replace("  name: a-job", "  name: A Job\n  lables: {}");
    assert_eq!(
        refusal(&text),
        "the AnalysisJob has 5 problems:
  line 4: metadata.name: \"A Job\" does not fit the pattern ^[a-z]([-a-z0-9]*[a-z0-9])?$.
  line 5: metadata.lables: no such field; did you mean labels?
  line 9: spec.source.prefixes[0]: \"/RS03/\" does not fit the pattern ^[^/\\s][^\\s]*$.
  line 12: spec.analysis.opticalFlow.stride: expected a whole number of 1 to 100000, found 0
  line 13: spec.analysis.opticalFlow.metod: no such field; did you mean method?"
    );
}

#[test]
fn a_misshapen_part_does_not_hide_what_is_wrong_with_the_others() {
    let text = GOOD.replace("prefixes: [RS03/]", "prefixes: [RS03/]\n    dateRange: {from: 2018-02-30}")
        + "  workers: {strategy: queue}\n  rescan: {schedule: now}\n";
    let error = yaml::read(text).unwrap_err();
    let paths: Vec<&str> = error.problems().iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["spec.source.dateRange.from", "spec.workers.strategy", "spec.rescan.schedule"]);
}

#[test]
fn a_file_that_is_something_else_is_named() {
    assert_eq!(refusal(""), "the file holds no document; expected an AnalysisJob");
    assert_eq!(refusal("# only a comment\n---\n"), "the file holds no document; expected an AnalysisJob");
    assert_eq!(refusal(&format!("{GOOD}---\n{GOOD}")), "the file holds 2 documents; expected one AnalysisJob");
    assert_eq!(
        refusal("apiVersion: batch/v1\nkind: Job\n"),
        "expected apiVersion camhd.science/v1alpha1 and kind AnalysisJob, found apiVersion batch/v1 and kind Job"
    );
    assert_eq!(
        refusal("just text"),
        "expected apiVersion camhd.science/v1alpha1 and kind AnalysisJob, found no object at all"
    );
    assert!(refusal("a: [").starts_with("the file is not YAML: "), "{}", refusal("a: ["));
    assert!(refusal("a: 1\na: 2\n").contains("duplicate"), "{}", refusal("a: 1\na: 2\n"));
    assert_eq!(yaml::read([0xff, 0xfe]).unwrap_err().to_string(), "the file is not UTF-8 text");
}

#[test]
fn a_job_has_a_name_of_at_most_40_characters_that_starts_with_a_letter() {
    let named = |name: &str| refusal(&GOOD.replace("name: a-job", name));
    assert!(named("labels: {}").contains("metadata.name: is missing"), "{}", named("labels: {}"));
    assert!(named("name: 2018").contains("metadata.name: expected text"), "{}", named("name: 2018"));
    assert!(named("name: 2018-x").contains("metadata.name"), "{}", named("name: 2018-x"));
    let of = |length: usize| yaml::read(GOOD.replace("a-job", &"a".repeat(length))).is_ok();
    assert_eq!([of(40), of(41)], [true, false]);
}

#[test]
fn what_kubectl_exports_is_read_without_its_status() {
    let exported = GOOD.replace(
        "  name: a-job",
        "  name: a-job\n  namespace: science\n  uid: 0a1b\n  resourceVersion: \"7\"\n  generation: 2\n  creationTimestamp: \"2026-01-01T00:00:00Z\"",
    );
    let job = yaml::read(format!("---\n{exported}status: {{progress: 1/2, unheard: of}}\n")).unwrap();
    assert_eq!((job.metadata.namespace.as_deref(), job.status), (Some("science"), None));
}

#[test]
fn nulls_anchors_and_merge_keys_mean_what_they_mean_to_kubectl() {
    let text = GOOD.replace("opticalFlow: {}", "opticalFlow: {<<: &o {stride: 7}, method: null, endFrame: null}");
    let flow = yaml::read(text).unwrap().spec.analysis.optical_flow.unwrap();
    assert_eq!(flow, analysisjob::OpticalFlow { stride: 7, ..Default::default() });
}

#[test]
fn objects_of_an_api_server_may_have_fields_this_version_does_not_know() {
    let mut job = serde_json::to_value(yaml::read(GOOD).unwrap()).unwrap();
    job["spec"]["workers"]["fieldOfTomorrow"] = 1.into();
    let read: AnalysisJob = serde_json::from_value(job).unwrap();
    assert_eq!(read.spec, yaml::read(GOOD).unwrap().spec);
}

#[test]
fn a_job_written_and_read_again_is_the_same() {
    let job = yaml::read(GOOD).unwrap();
    assert_eq!(yaml::read(serde_json::to_string(&job).unwrap()).unwrap(), job);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = yaml::read(bytes);
    }

    #[test]
    fn no_damage_to_a_good_file_makes_the_reader_panic(
        at in 0..GOOD.len(),
        length in 0usize..40,
        put in "[ -~\n]{0,12}",
    ) {
        let end = (at + length).min(GOOD.len());
        let damaged = format!("{}{put}{}", &GOOD[..at], &GOOD[end..]);
        if let Ok(job) = yaml::read(&damaged) {
            prop_assert_eq!(yaml::read(serde_json::to_string(&job).unwrap()).unwrap(), job);
        }
    }

    #[test]
    fn any_value_in_any_place_is_read_or_refused(place in 0usize..8, value in "(null|true|-?[0-9]{1,20}|1e9|\\.nan|'[a-z/]{0,5}'|\\[\\]|\\{\\}|\\[1, a\\]|!t x)") {
        let places = ["name: a-job", "{rootURL: http://archive.test/files/}", "[RS03/]", "RS03/", "opticalFlow: {}", "{claimName: out}", "persistentVolumeClaim: {claimName: out}", "camhd.science/v1alpha1"];
        let _ = yaml::read(GOOD.replace(places[place], &format!("x: {value}")));
        let _ = yaml::read(GOOD.replace(places[place], &value));
    }
}
