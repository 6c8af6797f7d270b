//! Starts the binary and real clients for the tests beside this file.
