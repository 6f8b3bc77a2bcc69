//! Every sample in `manifests/samples` is a file `analysis-worker run` and an API server would take.

use std::{fs, io, path::PathBuf};

use analysisjob::yaml;

fn samples() -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../manifests/samples");
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    paths.into_iter().map(|path| fs::read(&path).map(|bytes| (path, bytes))).collect()
}

#[test]
fn every_sample_is_read_without_a_problem() {
    let samples = samples().unwrap();
    assert!(!samples.is_empty(), "manifests/samples is empty");
    for (path, bytes) in samples {
        if let Err(error) = yaml::read(bytes) {
            panic!("{}: {error}", path.display());
        }
    }
}

#[test]
fn no_two_samples_have_the_same_name() {
    let mut names: Vec<Option<String>> =
        samples().unwrap().into_iter().map(|(_, bytes)| yaml::read(bytes).unwrap().metadata.name).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn the_quickstart_is_what_make_run_expects() {
    let (_, bytes) = samples().unwrap().into_iter().find(|(path, _)| path.ends_with("quickstart.yaml")).unwrap();
    let job = yaml::read(bytes).unwrap();
    assert_eq!(job.metadata.name.as_deref(), Some("quickstart"));
    assert_eq!(job.spec.source.prefixes, Some(vec!["RS03ASHS/PN03B/06-CAMHDA301/".to_owned()]));
    assert_eq!(job.spec.analysis.optical_flow.unwrap().stride, 10);
}
