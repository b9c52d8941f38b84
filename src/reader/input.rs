//! Opens what the user named: files, folders, globs, standard input; unpacks by content.
