//! What a command may leave where there was nothing: taken away again when it refuses. Not for databases: somebody else
//! may use the file by then.

use std::path::{Path, PathBuf};

/// The files that a command is about to make, and the folders that are not there yet.
pub(crate) struct Traces {
    files: Vec<PathBuf>,
    /// The innermost first.
    folders: Vec<PathBuf>,
}

impl Traces {
    /// Of files that are to be made in a folder. What is there already is nobody's trace.
    pub(crate) fn before(folder: &Path, files: impl IntoIterator<Item = PathBuf>) -> Self {
        let files = files.into_iter().filter(|file| !is_there(file)).collect();
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !is_there(folder);
        let folders = folder.ancestors().take_while(is_missing).map(Path::to_owned).collect();
        Self { files, folders }
    }

    /// Takes them away. What cannot be taken away stays: the refusal is what has to be told.
    pub(crate) fn remove(self) {
        for file in self.files {
            let _ = std::fs::remove_file(file);
        }
        // A folder that somebody put something into is not removed.
        for folder in self.folders {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// True if something has this name, and be it a link to nothing.
pub(crate) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
