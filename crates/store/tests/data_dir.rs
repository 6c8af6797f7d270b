//! The data directory: one process, private files, things that last.

use std::os::unix::fs::PermissionsExt;

use vigie_base::UnixMillis;
use vigie_store::{NewUser, Role, Store, StoreError};

#[tokio::test]
async fn a_second_store_on_one_directory_is_refused_until_the_first_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let first = Store::open(dir.path()).await.unwrap();
    let clone = first.clone();
    let refused = Store::open(dir.path()).await.unwrap_err();
    assert!(matches!(refused, StoreError::InUse(_)));
    assert!(refused.to_string().contains("--data-dir"));
    drop(first);
    assert!(matches!(Store::open(dir.path()).await, Err(StoreError::InUse(_))), "a clone still holds it");
    clone.close().await;
    assert!(clone.ping().await.is_err());
    Store::open(dir.path()).await.unwrap().close().await;
}

#[tokio::test]
async fn files_are_private_and_rows_outlive_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("deep").join("data");
    let store = Store::open(&data).await.unwrap();
    let new = NewUser {
        username: "admin".to_owned(),
        password_hash: "x".to_owned(),
        role: Role::SuperAdmin,
        club_id: None,
        enabled: true,
        at: UnixMillis(5),
    };
    let user = store.insert_user(new).await.unwrap();
    for file in ["vigie.db", "vigie.db-wal"] {
        let mode = std::fs::metadata(data.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    store.close().await;
    drop(store);
    let store = Store::open(&data).await.unwrap();
    assert_eq!(store.users().await.unwrap(), [user]);
    store.close().await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("vigie.db"), vec![b'x'; 8192]).unwrap();
    assert!(matches!(Store::open(dir.path()).await, Err(StoreError::Database(_))));
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    Store::open(dir.path()).await.unwrap().close().await;
    let url = format!("sqlite:{}", dir.path().join("vigie.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2030-01-01', 1, x'00', 0)")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    assert!(matches!(Store::open(dir.path()).await, Err(StoreError::Newer)));
}
