//! The claim made from `output.claimTemplate`. It has no owner: results stay when the AnalysisJob goes.

use analysisjob::{labels, output::AccessMode};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec, VolumeResourceRequirements};

use super::child_meta;
use crate::reconcile::validate::Analysis;

/// The claim, where the output is a template.
pub fn claim(analysis: &Analysis) -> Option<PersistentVolumeClaim> {
    let template = analysis.spec.output.claim_template.as_ref()?;
    let mut metadata = child_meta(analysis, analysis.claim_name(), labels::RESULTS);
    metadata.owner_references = None;
    let modes = template.access_modes.iter().copied().map(mode).collect();
    let requests = [("storage".to_owned(), template.size.clone().into())].into();
    Some(PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(modes),
            storage_class_name: template.storage_class_name.clone(),
            resources: Some(VolumeResourceRequirements { requests: Some(requests), limits: None }),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    })
}

fn mode(mode: AccessMode) -> String {
    match mode {
        AccessMode::ReadWriteMany => "ReadWriteMany",
        AccessMode::ReadWriteOnce => "ReadWriteOnce",
        AccessMode::ReadWriteOncePod => "ReadWriteOncePod",
    }
    .to_owned()
}
