//! The scripts, each one step that Redis does whole or not at all.

use redis::Script;

macro_rules! script {
    ($name:ident, $file:literal) => {
        pub fn $name() -> Script {
            Script::new(include_str!(concat!("scripts/", $file)))
        }
    };
}

script!(fill, "fill.lua");
script!(take, "take.lua");
script!(renew, "renew.lua");
script!(done, "done.lua");
script!(bury, "bury.lua");
script!(leave, "leave.lua");
script!(depth, "depth.lua");
