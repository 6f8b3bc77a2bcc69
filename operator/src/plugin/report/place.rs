//! Where an output is, as a person finds it. Pure.

use analysisjob::{AnalysisJob, S3};

use super::pod::Files;
use crate::plugin::{error::PluginError, plan::temporary::results_claim, words::quoted};

/// Where results stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On a volume.
    Claim {
        /// The claim's name.
        claim: String,
        /// The folder in it; empty for its root.
        folder: String,
    },
    /// In an object store.
    Bucket {
        /// The bucket, its prefix, its store.
        s3: S3,
    },
}

impl Place {
    /// The output of a job.
    pub fn of(job: &AnalysisJob) -> Result<Self, PluginError> {
        let (output, name) = (&job.spec.output, job.metadata.name.as_deref().unwrap_or_default());
        if let Some(claim) = &output.persistent_volume_claim {
            let folder = claim.sub_path.clone().unwrap_or_default();
            Ok(Self::Claim { claim: claim.claim_name.clone(), folder })
        } else if output.claim_template.is_some() {
            Ok(Self::Claim { claim: results_claim(name), folder: String::new() })
        } else if let Some(s3) = output.s3.clone() {
            Ok(Self::Bucket { s3 })
        } else {
            Err(PluginError::Unfit {
                message: format!("AnalysisJob {name} has an output this plugin does not know"),
                mend: "use the plugin of the release the cluster's operator is of".to_owned(),
            })
        }
    }

    /// What it is, in words.
    pub fn name(&self) -> String {
        match self {
            Self::Claim { claim, .. } => format!("claim {claim}"),
            Self::Bucket { s3 } => format!("bucket {}", s3.bucket),
        }
    }

    /// Where a file of the output is in it.
    pub fn path(&self, file: &str) -> String {
        let folder = match self {
            Self::Claim { folder, .. } => folder.as_str(),
            Self::Bucket { s3 } => s3.prefix.as_deref().unwrap_or_default(),
        };
        match folder.trim_end_matches('/') {
            "" => file.to_owned(),
            folder => format!("{folder}/{file}"),
        }
    }

    /// The command that fetches files from a bucket.
    pub fn fetch(&self, files: &Files) -> String {
        let Self::Bucket { s3 } = self else { return String::new() };
        let endpoint = s3.endpoint.as_ref().map(|url| format!(" --endpoint-url {}", quoted(url))).unwrap_or_default();
        let from = |path: &str| quoted(&format!("s3://{}/{path}", s3.bucket));
        let region = &s3.region;
        if files.also.is_empty() {
            return format!("aws s3 cp {} . --region {region}{endpoint}", from(&self.path(&files.file)));
        }
        // Of a folder, its files; a name without an ending is one.
        let wanted = |name: &String| if name.contains('.') { name.clone() } else { format!("{name}/*") };
        let mut patterns: Vec<String> = files.also.iter().map(wanted).collect();
        patterns.push(files.file.clone());
        patterns.extend(files.pictures.then(|| "*_frames.jpg".to_owned()));
        let include: String = patterns.iter().map(|pattern| format!(" --include {}", quoted(pattern))).collect();
        let all = from(&self.path(""));
        format!("aws s3 cp {all} . --recursive --exclude '*'{include} --region {region}{endpoint}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::object;
    use serde_json::{Value, json};

    fn place(output: Value) -> Place {
        let mut object = object();
        object["spec"]["output"] = output;
        Place::of(&serde_json::from_value(object).unwrap()).unwrap()
    }

    #[test]
    fn a_template_is_the_claim_the_operator_makes() {
        let made = place(json!({"claimTemplate": {"size": "1Gi"}}));
        assert_eq!(made, Place::Claim { claim: "ashes-2018-results".to_owned(), folder: String::new() });
        assert_eq!(made.path("report.html"), "report.html");
    }

    #[test]
    fn a_prefix_and_a_folder_are_joined_with_one_slash() {
        for prefix in ["motion", "motion/"] {
            assert_eq!(place(json!({"s3": {"bucket": "results", "prefix": prefix}})).path("x"), "motion/x");
            let claim = json!({"persistentVolumeClaim": {"claimName": "results", "subPath": prefix}});
            assert_eq!(place(claim).path("x"), "motion/x");
        }
    }
}
