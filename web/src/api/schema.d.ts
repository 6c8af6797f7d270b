// Made by `npm run gen` from /api/openapi.json. Not for editing.
export interface paths {
    "/api/admin/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who did what; for super administrators. */
        get: operations["get_api_admin_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Accounts that the caller may manage, by name. */
        get: operations["get_api_admin_users"];
        put?: never;
        /** Add an account. */
        post: operations["post_api_admin_users"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One account. */
        get: operations["get_api_admin_users_id"];
        /**
         * Change an account; fields that are left out stay. What it may do changes with its next call; one that is disabled is
         *     signed out everywhere.
         */
        put: operations["put_api_admin_users_id"];
        post?: never;
        /** Remove an account; what it recorded stays. */
        delete: operations["delete_api_admin_users_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/admin/users/{id}/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Give somebody else's account a new password; it is signed out everywhere. */
        post: operations["post_api_admin_users_id_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/kiosk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Hand in a pass: the cookie that comes back opens its court. */
        post: operations["post_api_auth_kiosk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in. */
        post: operations["post_api_auth_login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign out. */
        post: operations["post_api_auth_logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is signed in. */
        get: operations["get_api_auth_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Change one's own password; every other sign-in ends. */
        post: operations["post_api_auth_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A new token for the refresh cookie, or for a token that is still valid. */
        post: operations["post_api_auth_refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/stream-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** One's own password for RTSP players; made when there is none yet. */
        post: operations["post_api_auth_stream_password"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One's API tokens. */
        get: operations["get_api_auth_tokens"];
        put?: never;
        /** Make an API token. */
        post: operations["post_api_auth_tokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Drop an API token. */
        delete: operations["delete_api_auth_tokens_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cameras": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Cameras that the caller may see. */
        get: operations["get_api_cameras"];
        put?: never;
        /** Add a camera. */
        post: operations["post_api_cameras"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cameras/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Test a connection before it is stored. */
        post: operations["post_api_cameras_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cameras/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One camera. */
        get: operations["get_api_cameras_id"];
        /** Change a camera; fields that are left out are reset. */
        put: operations["put_api_cameras_id"];
        post?: never;
        /** Remove a camera; its recordings stay. */
        delete: operations["delete_api_cameras_id"];
        options?: never;
        head?: never;
        /** Change the fields that the body holds. */
        patch: operations["patch_api_cameras_id"];
        trace?: never;
    };
    "/api/cameras/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened to a camera. */
        get: operations["get_api_cameras_id_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cameras/{id}/snapshot.jpg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A still picture of a camera.
         * @description The newest key frame, with its age in `X-Frame-Age-Ms`; `newest=1` decodes up to the newest frame. A camera that is
         *     not running is started and waited for up to five seconds.
         */
        get: operations["get_api_cameras_id_snapshot_jpg"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cameras/{id}/stream.mjpeg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Live pictures of a camera as multipart MJPEG. */
        get: operations["get_api_cameras_id_stream_mjpeg"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cameras/{id}/streams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where to watch a camera. */
        get: operations["get_api_cameras_id_streams"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cameras/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Test the connection of a stored camera. */
        post: operations["post_api_cameras_id_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/cameras/{id}/ticket": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A ticket for views of this camera, so that players without a sign-in can show it. */
        post: operations["post_api_cameras_id_ticket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/clubs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Clubs that the caller may see. */
        get: operations["get_api_clubs"];
        put?: never;
        /** Add a club; for super administrators. */
        post: operations["post_api_clubs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/clubs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One club. */
        get: operations["get_api_clubs_id"];
        /** Rename a club or set its time zone; fields that are left out stay. */
        put: operations["put_api_clubs_id"];
        post?: never;
        /** Remove a club without courts; for super administrators. */
        delete: operations["delete_api_clubs_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/clubs/{id}/terrains": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Courts of a club. */
        get: operations["get_api_clubs_id_terrains"];
        put?: never;
        /** Add a court to a club; for administrators of the club. */
        post: operations["post_api_clubs_id_terrains"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What happened, newest first; for administrators. */
        get: operations["get_api_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Changes of cameras, sessions, recordings, markers and courts, as server-sent events. */
        get: operations["get_api_events_stream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/events/ws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same over a WebSocket: each message is the text `{"event":…,"data":…}`. */
        get: operations["get_api_events_ws"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the server is; more of it for those who signed in. */
        get: operations["get_api_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/health/cameras/{id}/reconnect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try to connect at once, whatever the waiting time. */
        post: operations["post_api_health_cameras_id_reconnect"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/health/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How many cameras are how well. */
        get: operations["get_api_health_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/live/ws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Live video of many cameras over one WebSocket; see the page on live video for its messages. */
        get: operations["get_api_live_ws"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/preview/{session_id}/info": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the preview of a session shows now. */
        get: operations["get_api_preview_session_id_info"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/preview/{session_id}/snapshot.jpg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A still picture of a session; suited to being polled. */
        get: operations["get_api_preview_session_id_snapshot_jpg"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/preview/{session_id}/stream.mjpeg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Live pictures of a session as multipart MJPEG. */
        get: operations["get_api_preview_session_id_stream_mjpeg"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/preview/{session_id}/ticket": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A ticket for views of this session, so that `<img>` and players without a sign-in can show it. */
        post: operations["post_api_preview_session_id_ticket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/preview/{session_id}/ws": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Live pictures of a session over a WebSocket: JPEG pictures as binary messages, `{"type":"state",…}` as text. */
        get: operations["get_api_preview_session_id_ws"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the first administrator has to be made. */
        get: operations["get_api_setup"];
        put?: never;
        /** Makes the first administrator, and signs in. */
        post: operations["post_api_setup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/system/diagnose": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is going on: version, machine, streams, sessions, recordings and the end of the log; for administrators. */
        get: operations["get_api_system_diagnose"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/terrains": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All courts that the caller may see, with what happens on them now. */
        get: operations["get_api_terrains"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/terrains/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One court. */
        get: operations["get_api_terrains_id"];
        /** Change a court; fields that are left out stay. An open session goes on with the camera that it began with. */
        put: operations["put_api_terrains_id"];
        post?: never;
        /** Remove a court on which no session is open; its kiosk passes end, its recordings stay. */
        delete: operations["delete_api_terrains_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/terrains/{id}/kiosk": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Passes of a court that still work; for administrators of the club. */
        get: operations["get_api_terrains_id_kiosk"];
        put?: never;
        /** Make a pass for the tablet beside a court; for administrators of the club. */
        post: operations["post_api_terrains_id_kiosk"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/terrains/{id}/kiosk/{pass_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a pass; the tablet is out with its next call. */
        delete: operations["delete_api_terrains_id_kiosk_pass_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/cleanup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Remove what is left over; for administrators. */
        post: operations["post_api_video_cleanup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/files/list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Recorded files, newest first. */
        get: operations["get_api_video_files_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/files/{session_id}/clip": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The part of a finished recording between two times, as an MP4 that begins to play at once. Nothing is coded anew; it
         *     begins at the very picture that was asked for.
         */
        get: operations["get_api_video_files_session_id_clip"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/files/{session_id}/delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete a file; for administrators. */
        delete: operations["delete_api_video_files_session_id_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/files/{session_id}/download": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The file, or a part of it. */
        get: operations["get_api_video_files_session_id_download"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/files/{session_id}/lock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Protect a file from being deleted, or no longer; for administrators. Deleting a protected one is 423 `locked`. */
        post: operations["post_api_video_files_session_id_lock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counts of sessions, recordings and files. */
        get: operations["get_api_video_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/record/estimate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a recording would weigh, and whether the disk can hold it. */
        get: operations["get_api_video_record_estimate"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/record/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start to record. */
        post: operations["post_api_video_record_start"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/record/status/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How far a recording is. */
        get: operations["get_api_video_record_status_session_id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/record/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stop; answers when the file is complete and playable. */
        post: operations["post_api_video_record_stop"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/record/{session_id}/log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was noted while the session was recorded: its last MiB; for administrators of its club. */
        get: operations["get_api_video_record_session_id_log"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/session/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Close a session that does not record. */
        post: operations["post_api_video_session_close"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/session/create": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make a session; answers once a picture really came. */
        post: operations["post_api_video_session_create"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/session/list": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Open sessions that the caller may see. */
        get: operations["get_api_video_session_list"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/session/{session_id}/mark": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Mark this moment and keep the last seconds as a clip; answers when the clip can be played. */
        post: operations["post_api_video_session_session_id_mark"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/session/{session_id}/markers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Markers of a session, oldest first; also after it was closed. */
        get: operations["get_api_video_session_session_id_markers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/video/session/{session_id}/markers/{marker_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take a marker back. Its clip stays, unless `clip=1`. */
        delete: operations["delete_api_video_session_session_id_markers_marker_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process lives. */
        get: operations["get_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Prometheus text, for this machine or with a token. */
        get: operations["get_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/proxy/{session_id}/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether a session's stream flows. */
        get: operations["get_proxy_session_id_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/proxy/{session_id}/snapshot.jpg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same as `snapshot.jpg` of the preview, under the path of the old proxy. */
        get: operations["get_proxy_session_id_snapshot_jpg"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/proxy/{session_id}/stream.mjpg": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same as `stream.mjpeg` of the preview, under the path of the old proxy. */
        get: operations["get_proxy_session_id_stream_mjpg"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An account as administrators see it. */
        AccountView: {
            /**
             * Format: int64
             * @description Its club; null for super administrators, and for accounts whose club was removed.
             */
            club_id?: number | null;
            /** @description What that is called. */
            club_name?: string | null;
            /** @description When it was made (RFC 3339). */
            created_at: string;
            /** @description Whether it may sign in. */
            enabled: boolean;
            /**
             * Format: int64
             * @description Its number.
             */
            id: number;
            /** @description When somebody last signed in with it (RFC 3339). */
            last_login_at?: string | null;
            /** @description `SUPER_ADMIN`, `CLUB_ADMIN` or `PLAYER`. */
            role: string;
            /** @description Its name. */
            username: string;
        };
        Alive: {
            /** @description `ok`. */
            status: string;
            success: boolean;
        };
        AuditReply: {
            count: number;
            /** @description Newest first. */
            entries: components["schemas"]["AuditView"][];
            success: boolean;
        };
        /** @description An entry of the audit log as the API shows it. */
        AuditView: {
            /** @description A stable word such as `camera.delete`. */
            action: string;
            /** @description The name then; of an API token `user/token`. */
            actor: string;
            /** @description From which address. */
            address?: string | null;
            /** @description RFC 3339. */
            at: string;
            /** @description More, for machines; never a secret. */
            details: unknown;
            /**
             * Format: int64
             * @description Grows with time.
             */
            id: number;
            /** @description To what, e.g. `camera/3`. */
            target: string;
            /**
             * Format: int64
             * @description Who; null for somebody not signed in, and for Vigie itself.
             */
            user_id?: number | null;
        };
        CameraCounts: {
            /**
             * Format: double
             * @description Mean of the cameras whose uptime is known, in percent.
             */
            average_uptime: number;
            cameras_excellent: number;
            cameras_fair: number;
            cameras_good: number;
            cameras_offline: number;
            cameras_poor: number;
            cameras_unknown: number;
            offline_cameras: number;
            online_cameras: number;
            success: boolean;
            total_cameras: number;
        };
        /** @description What a camera can be given; every field may be left out where it is not needed. */
        CameraInput: {
            /** @description Pull it even while nobody watches. */
            always_on?: boolean | null;
            /** Format: int64 */
            club_id?: number | null;
            /** @description `timeout_ms`, `transport`, `user_agent`, `fps_limit`, `loop`, `speed`, … */
            connection_config?: unknown;
            /** @description `rtsp`, `http_mjpeg`, `https`, `file`, `testcard`; guessed from the URL when not given. */
            connection_type?: string | null;
            enabled?: boolean | null;
            manufacturer?: string | null;
            model?: string | null;
            /** @description For people; unique in a club. */
            name: string;
            /** @description At the camera; never shown again. */
            password?: string | null;
            /** @description Where the best picture is. A user name and password in it are moved to the encrypted store. */
            primary_stream_url?: string | null;
            /** @description Where the small picture is. */
            secondary_stream_url?: string | null;
            /** @description For paths; made from the name when not given. */
            slug?: string | null;
            /** @description Where a still picture is. */
            snapshot_url?: string | null;
            /** @description The same, under its short name. */
            sub_url?: string | null;
            tags?: string[] | null;
            /** Format: int64 */
            terrain_id?: number | null;
            /** @description `auto`, `tcp`, `udp`; short for the field of `connection_config`. */
            transport?: string | null;
            /** @description The same, under its short name. */
            url?: string | null;
            /** @description At the camera. */
            username?: string | null;
        };
        CameraReply: {
            camera: components["schemas"]["CameraView"];
            success: boolean;
        };
        /** @description One stream of a camera. */
        CameraStream: components["schemas"]["StreamView"] & {
            /** Format: int64 */
            camera_id: number;
            camera_name: string;
            connection_type: string;
            /** @description Without user name and password. */
            url?: string | null;
        };
        /** @description A camera as the API shows it (contract §10.6). URLs are redacted. */
        CameraView: {
            /** @description Whether it is pulled even while nobody watches. */
            always_on: boolean;
            /** @description Cloud account. */
            cloud_config: unknown;
            /**
             * Format: int64
             * @description Its club.
             */
            club_id?: number | null;
            /** @description Timeouts, transport and the like. */
            connection_config: unknown;
            /** @description `excellent|good|fair|poor|offline|unknown`. */
            connection_health: string;
            /** @description Way in. */
            connection_type: string;
            /** @description When it was made (RFC 3339). */
            created_at: string;
            /** @description Whether the configuration file declares it. */
            declared: boolean;
            /** @description Fields that only the file may change. */
            declared_fields: string[];
            /** @description Whether it may be pulled. */
            enabled: boolean;
            /**
             * Format: int32
             * @description Consecutive failures.
             */
            failed_connection_attempts: number;
            /** @description Firmware version. */
            firmware_version?: string | null;
            /** @description Whether a password is stored. */
            has_password: boolean;
            /**
             * Format: int64
             * @description Its number.
             */
            id: number;
            /** @description Legacy: host of the primary URL. */
            ip_address?: string | null;
            /** @description Redacted. */
            last_error_message?: string | null;
            /** @description When it was last checked (RFC 3339). */
            last_health_check?: string | null;
            /** @description Vendor. */
            manufacturer?: string | null;
            /** @description Model. */
            model?: string | null;
            /** @description Its name for people. */
            name: string;
            /**
             * Format: int32
             * @description Legacy: port of the primary URL.
             */
            port?: number | null;
            /** @description Best picture. */
            primary_stream_url?: string | null;
            /** @description Legacy: the primary URL, when it is RTSP. */
            rtsp_url?: string | null;
            /** @description Small picture. */
            secondary_stream_url?: string | null;
            /** @description Serial number. */
            serial_number?: string | null;
            /** @description Its name in paths. */
            slug: string;
            /** @description Still picture. */
            snapshot_url?: string | null;
            /** @description What is observed now, main stream first. */
            streams: components["schemas"]["StreamView"][];
            /** @description Free words. */
            tags: string[];
            /**
             * Format: int64
             * @description Its court.
             */
            terrain_id?: number | null;
            /** @description When it was last changed (RFC 3339). */
            updated_at: string;
            /**
             * Format: double
             * @description Thirty days, 0–100.
             */
            uptime_percentage?: number | null;
            /** @description User name at the camera. */
            username?: string | null;
        };
        CamerasReply: {
            cameras: components["schemas"]["CameraView"][];
            /** @description On all pages. */
            count: number;
            success: boolean;
        };
        CleanUpReply: {
            cleaned: components["schemas"]["Cleaned"];
            /** @description What was removed, one by one. */
            details: unknown[];
            success: boolean;
        };
        /** @description What a clean-up removed. */
        Cleaned: {
            /** @description Empty files removed. */
            empty_files: number;
            /** @description Streams stopped that nobody wanted. */
            proxies: number;
            /** @description Idle sessions closed. */
            sessions: number;
        };
        /** @description A clip that was kept. */
        ClipView: {
            /** @description Where to get it. */
            download_url: string;
            /**
             * Format: double
             * @description Its length: less than was asked for when less was there.
             */
            duration_seconds: number;
            /** @description `sess_…_clip1.mp4`. */
            filename: string;
            /**
             * Format: int64
             * @description Its row.
             */
            recording_id: number;
            /** @description The session. */
            session_id: string;
            /**
             * Format: int64
             * @description Its size.
             */
            size_bytes: number;
            /** @description RFC 3339: its first picture. */
            started_at: string;
        };
        ClosedReply: {
            session_id: string;
            success: boolean;
        };
        ClubChangeInput: {
            /** @description 1–80 characters, unique without regard to case. */
            name?: string | null;
            /** @description IANA name. */
            timezone?: string | null;
        };
        ClubInput: {
            /** @description 1–80 characters, unique without regard to case. */
            name: string;
            /** @description IANA name such as `Europe/Paris`; this server's when it is left out. */
            timezone?: string | null;
        };
        ClubReply: {
            club: components["schemas"]["ClubView"];
            success: boolean;
        };
        /** @description A club as the API shows it. */
        ClubView: {
            /** @description When it was made (RFC 3339). */
            created_at: string;
            /**
             * Format: int64
             * @description Its number.
             */
            id: number;
            /** @description Its name; unique. */
            name: string;
            /** @description How many courts it has. */
            terrain_count: number;
            /** @description IANA name of its time zone, e.g. `Europe/Paris`. */
            timezone: string;
            /** @description How many accounts belong to it. */
            user_count: number;
        };
        ClubsReply: {
            clubs: components["schemas"]["ClubView"][];
            count: number;
            success: boolean;
        };
        Components: {
            cameras: string;
            recorder: string;
            rtsp: string;
            store: string;
            web: string;
        };
        CreateInput: {
            /**
             * Format: int64
             * @description A camera without a court; for super administrators.
             */
            camera_id?: number | null;
            /**
             * Format: int64
             * @description The club; for super administrators.
             */
            club_id?: number | null;
            /** @description Give back one's own open session instead of refusing a second one. */
            reuse?: boolean;
            /**
             * Format: int64
             * @description The court.
             */
            terrain_id?: number | null;
        };
        Diagnosis: {
            /** @description RFC 3339: when this was asked. */
            at: string;
            components: components["schemas"]["Components"];
            disk: components["schemas"]["Disk"];
            encoder: components["schemas"]["EncoderView"];
            ffmpeg: components["schemas"]["Ffmpeg"];
            /** @description The newest 200 lines of the log, oldest first, secrets masked; for super administrators. */
            log: string[];
            max_concurrent_recordings: number;
            /** @description Operating system and processor. */
            platform: string;
            proxy_ports: number[];
            /** @description Recordings that run. */
            recordings: components["schemas"]["RecordingStatus"][];
            /** @description Open sessions. */
            sessions: components["schemas"]["SessionView"][];
            /** @description `healthy`, `degraded` or `unhealthy`. */
            status: string;
            streams: components["schemas"]["CameraStream"][];
            success: boolean;
            /** Format: int64 */
            uptime_seconds: number;
            version: string;
            videos: components["schemas"]["VideoTotals"];
        };
        /** @description Room on a disk, in bytes. */
        Disk: {
            /**
             * Format: int64
             * @description For us.
             */
            available: number;
            /**
             * Format: int64
             * @description All.
             */
            total: number;
        };
        /** @description An answer that carries nothing but its success. */
        Done: {
            /** @description Always true. */
            success: boolean;
        };
        /** @description The encoder. */
        EncoderView: {
            /** @description Whether it works; when not, recordings that need it are refused. */
            available: boolean;
            /** @description `libx264` or `openh264`. */
            name: string;
            /** @description Why it is not the preferred one, or does not work. */
            why?: string | null;
        };
        EstimateReply: {
            estimate: components["schemas"]["EstimateView"];
            success: boolean;
        };
        /** @description What a recording would need. */
        EstimateView: {
            /**
             * Format: int64
             * @description What it is reckoned with.
             */
            bitrate_kbps: number;
            /**
             * Format: int64
             * @description Bytes of the whole recording.
             */
            bytes: number;
            /** @description Whether there is an encoder, should it need one. */
            encoder_available: boolean;
            /** @description Whether the disk can hold it; when not, `record/start` answers 507. */
            fits: boolean;
            /**
             * Format: int64
             * @description What may be used: without what has to stay free, and without what running recordings still need.
             */
            free_bytes: number;
            /**
             * Format: int64
             * @description The longest recording that fits, at most 720.
             */
            max_minutes: number;
            /** @description Whether that was measured on this stream; otherwise it is what such a recording usually has. */
            measured: boolean;
            /** @description `copy` or `encode`: what the recording would be. */
            mode: string;
            /**
             * Format: double
             * @description The same in units of 1,048,576 bytes, two decimals.
             */
            size_mb: number;
        };
        /** @description A stored event as the API shows it. */
        EventView: {
            /** @description RFC 3339. */
            at: string;
            /**
             * Format: int64
             * @description The camera.
             */
            camera_id?: number | null;
            /** @description More, for machines. */
            data: unknown;
            /**
             * Format: int64
             * @description Grows with time.
             */
            id: number;
            /** @description `camera_online`, `camera_offline`, … */
            kind: string;
            /** @description One sentence. */
            message: string;
            /**
             * Format: int64
             * @description The recording.
             */
            recording_id?: number | null;
            /** @description The session. */
            session_id?: string | null;
        };
        EventsReply: {
            count: number;
            /** @description Newest first. */
            events: components["schemas"]["EventView"][];
            success: boolean;
        };
        /** @description A failure. */
        Failure: {
            code: string;
            details?: Record<string, never>;
            error: string;
            message?: string;
            /** @enum {boolean} */
            success: false;
        };
        Ffmpeg: {
            available: boolean;
            version?: string | null;
        };
        /** @description `GET /api/video/files/list`. */
        FileList: {
            /**
             * Format: int64
             * @description Whose files; missing means all clubs.
             */
            club_id?: number | null;
            /** @description How many. */
            count: number;
            /**
             * Format: int64
             * @description All together.
             */
            total_size_bytes: number;
            /** @description Newest first. */
            videos: components["schemas"]["VideoView"][];
        };
        FilesReply: components["schemas"]["FileList"] & {
            success: boolean;
        };
        /** @description A hole in a recording. */
        GapView: {
            /**
             * Format: double
             * @description Where in the file, in seconds.
             */
            at_seconds: number;
            /** @description `source_lost|source_silent|packet_loss|overrun|format_change|restart|disk`. */
            cause: string;
            /** @description RFC 3339. */
            from: string;
            /** @description RFC 3339; missing while it lasts. */
            to?: string | null;
        };
        Health: {
            /** @description What everybody should see on every page; missing when there is nothing to say. */
            banner?: string | null;
            components?: components["schemas"]["Components"] | null;
            /** @description For those who signed in: whether OBS is connected. Never, until there is a connection to it. */
            obs_connected?: boolean | null;
            /** @description For those who signed in: whether the processing service answers. Never, until there is one. */
            processing_reachable?: boolean | null;
            /** @description `healthy`, `degraded` or `unhealthy`. */
            status: string;
            success: boolean;
            /** @description RFC 3339. */
            timestamp: string;
            /**
             * Format: int64
             * @description For those who signed in.
             */
            uptime_seconds?: number | null;
            /** @description For those who signed in. */
            version?: string | null;
        };
        KioskInput: {
            /** @description What stands behind the `#` of the link. */
            pass: string;
        };
        KioskReply: {
            /** @description When the pass ends (RFC 3339). */
            expires_at: string;
            success: boolean;
            terrain: components["schemas"]["TerrainView"];
            user: components["schemas"]["UserView"];
        };
        LockInput: {
            /** @description Whether nobody may delete it, administrators included, until it is unlocked. */
            locked: boolean;
            /**
             * Format: int64
             * @description Which file of the session; the newest recording when missing.
             */
            recording_id?: number | null;
        };
        LockReply: {
            success: boolean;
            video: components["schemas"]["VideoView"];
        };
        LoginInput: {
            password: string;
            username: string;
        };
        MarkInput: {
            /** @description Whether to keep a clip; `true` when missing. */
            clip?: boolean | null;
            /** @description What to call it; at most 80 characters. */
            label?: string | null;
            /**
             * Format: double
             * @description Where in the recording as it plays, in seconds; in the newest one when `recording_id` is missing.
             */
            offset_seconds?: number | null;
            /**
             * Format: int64
             * @description A place in this recording of the session, instead of now; such a place gets no clip.
             */
            recording_id?: number | null;
            /**
             * Format: double
             * @description How much of the past the clip holds, in seconds: 10–120, 30 when missing.
             */
            seconds?: number | null;
        };
        MarkReply: {
            clip?: components["schemas"]["ClipView"] | null;
            /** @description Why there is no clip although one was wanted. */
            clip_error?: string | null;
            marker: components["schemas"]["MarkerView"];
            success: boolean;
        };
        /** @description A marker as the API shows it. */
        MarkerView: {
            /** @description RFC 3339. */
            at: string;
            /**
             * Format: int64
             * @description The file that keeps it.
             */
            clip_recording_id?: number | null;
            /**
             * Format: int64
             * @description Its number.
             */
            id: number;
            /** @description What it is called. */
            label?: string | null;
            /**
             * Format: double
             * @description Where in the recording as it plays.
             */
            offset_seconds?: number | null;
            /**
             * Format: int64
             * @description In which recording; missing when nothing was recorded then, or it was deleted since.
             */
            recording_id?: number | null;
            /** @description In which session. */
            session_id: string;
            /**
             * Format: int64
             * @description Who set it.
             */
            user_id?: number | null;
        };
        MarkersReply: {
            count: number;
            markers: components["schemas"]["MarkerView"][];
            success: boolean;
        };
        MeReply: {
            /** @description What everybody should see on every page; missing when there is nothing to say. */
            banner?: string | null;
            success: boolean;
            user: components["schemas"]["UserView"];
        };
        NewTokenReply: {
            api_token: components["schemas"]["TokenView"];
            success: boolean;
            /** @description Shown this once. */
            token: string;
        };
        NewUserInput: {
            /**
             * Format: int64
             * @description For everybody but super administrators; a club administrator's own when it is left out.
             */
            club_id?: number | null;
            /** @description Whether it may sign in; true when it is left out. */
            enabled?: boolean | null;
            /** @description At least 10 characters; made up, and answered this once, when it is left out. */
            password?: string | null;
            /** @description `SUPER_ADMIN`, `CLUB_ADMIN` or `PLAYER`. */
            role: string;
            /** @description At most 64 letters, digits and `. _ - @ +`; unique without regard to case. */
            username: string;
        };
        NewUserReply: {
            /** @description Only when it was made up here, and only this once. */
            password?: string | null;
            success: boolean;
            user: components["schemas"]["AccountView"];
        };
        PassInput: {
            /**
             * Format: int64
             * @description 1–8760; 12 when it is left out.
             * @default null
             */
            hours: number | null;
            /**
             * @description What to call it; the court's name when it is left out.
             * @default null
             */
            name: string | null;
        };
        PassReply: {
            pass: components["schemas"]["PassView"];
            /** @description The same as a QR code: an SVG document. */
            qr_svg: string;
            success: boolean;
            /** @description Opens the court on whatever device follows it; shown this once. */
            url: string;
        };
        /** @description A pass as administrators see it. */
        PassView: {
            /** @description When it was made (RFC 3339). */
            created_at: string;
            /** @description When it ends (RFC 3339). */
            expires_at?: string | null;
            /**
             * Format: int64
             * @description Its number.
             */
            id: number;
            /** @description When it last let somebody in, to the minute (RFC 3339). */
            last_used_at?: string | null;
            /** @description What it is called. */
            name: string;
            /**
             * Format: int64
             * @description The court that it opens.
             */
            terrain_id: number;
        };
        PassesReply: {
            count: number;
            passes: components["schemas"]["PassView"][];
            success: boolean;
        };
        PasswordInput: {
            current_password: string;
            new_password: string;
        };
        /** @description Envelope of [`PreviewInfo`]. */
        PreviewAnswer: {
            preview: components["schemas"]["PreviewInfo"];
            success: boolean;
        };
        /** @description What a preview shows now. */
        PreviewInfo: {
            active: boolean;
            /** Format: double */
            fps: number;
            /** Format: int32 */
            height?: number | null;
            /** Format: int64 */
            last_frame_age_ms?: number | null;
            recording_active: boolean;
            session_id: string;
            snapshot_url: string;
            source_connected: boolean;
            stream_url: string;
            viewers: number;
            /** Format: int32 */
            width?: number | null;
        };
        /** @description Where to see a session. */
        PreviewLinks: {
            /** @description One JPEG. */
            snapshot: string;
            /** @description MJPEG. */
            stream: string;
            /** @description JPEG pictures over a WebSocket. */
            ws: string;
        };
        /** @description Health of one session's stream, as the old proxy answered it. */
        ProxyHealth: {
            clients: number;
            connected: boolean;
            /** Format: int64 */
            last_frame_age_ms?: number | null;
            session_id: string;
            status: string;
            success: boolean;
        };
        Reconnecting: {
            /** Format: int32 */
            attempt: number;
            state: string;
            success: boolean;
        };
        /** @description `GET /api/video/record/status/<session_id>`. */
        RecordingStatus: {
            /** @description Whether it runs. */
            active: boolean;
            /**
             * Format: int64
             * @description Average so far.
             */
            bitrate_kbps: number;
            /** @description Where to get it, after the end. */
            download_url?: string | null;
            /**
             * Format: int64
             * @description Planned length.
             */
            duration_seconds: number;
            /**
             * Format: int64
             * @description Whole seconds; frozen after the end.
             */
            elapsed_seconds: number;
            /** @description Why it failed. */
            error?: string | null;
            /**
             * Format: int64
             * @description Video frames written.
             */
            frames: number;
            /**
             * Format: int64
             * @description Gaps so far.
             */
            gaps: number;
            /** @description Whether Vigie died while it was written; what had been written was kept. */
            interrupted: boolean;
            /** @description `copy` or `encode`. */
            mode?: string | null;
            /**
             * Format: int64
             * @description 0–100, rounded down.
             */
            progress_percent: number;
            /**
             * Format: int64
             * @description The file's row, once something was recorded.
             */
            recording_id?: number | null;
            /** @description The session. */
            session_id: string;
            /**
             * Format: int64
             * @description Bytes written.
             */
            size_bytes: number;
            /** @description Whether media flows. */
            source_connected: boolean;
            /** @description State of the session (contract §20.8). */
            state: string;
            /** @description The file, after the end. */
            video_path?: string | null;
        };
        ResetInput: {
            /**
             * @description At least 10 characters; made up, and answered this once, when it is left out.
             * @default null
             */
            password: string | null;
        };
        ResetReply: {
            /** @description Only when it was made up here, and only this once. */
            password?: string | null;
            success: boolean;
        };
        /** @description A body that names a session. */
        SessionInput: {
            session_id?: string | null;
        };
        SessionReply: {
            session: components["schemas"]["SessionView"];
            success: boolean;
        };
        /** @description A capture session as the API shows it. */
        SessionView: {
            /**
             * Format: int64
             * @description The camera.
             */
            camera_id?: number | null;
            /** @description What the camera is called now. */
            camera_name?: string | null;
            /**
             * Format: int64
             * @description 0 without a court.
             */
            club_id: number;
            /** @description RFC 3339. */
            created_at: string;
            /**
             * Format: int64
             * @description Planned length of the recording, while one runs.
             */
            duration_seconds?: number | null;
            /**
             * Format: int64
             * @description Seconds since the recording began, 0 without one.
             */
            elapsed_seconds: number;
            /**
             * @description RFC 3339: when it is closed if nobody uses it any more. Missing while it records or is watched, and after it
             *     was closed.
             */
            expires_at?: string | null;
            /** @description RFC 3339. */
            last_activity_at: string;
            /** @description MJPEG on loopback. */
            local_url: string;
            /** @description Where to see it. */
            preview: components["schemas"]["PreviewLinks"];
            /**
             * Format: int32
             * @description The session's own port, where sessions have one; otherwise our HTTP port.
             */
            proxy_port: number;
            /** @description Whether a recording runs. */
            recording_active: boolean;
            /**
             * Format: int64
             * @description What is left of it.
             */
            remaining_seconds?: number | null;
            /** @description RTSP. */
            rtsp_url?: string | null;
            /** @description `sess_<club>_<terrain>_<unix seconds>`. */
            session_id: string;
            /** @description See contract §20.8. */
            state: string;
            /**
             * Format: int64
             * @description The court.
             */
            terrain_id?: number | null;
            /** @description What the court is called now. */
            terrain_name?: string | null;
            /**
             * Format: int64
             * @description Who made it.
             */
            user_id?: number | null;
            /** @description What that user is called now. */
            username?: string | null;
            /** @description Whether a frame was really received. */
            verified: boolean;
        };
        SessionsReply: {
            count: number;
            sessions: components["schemas"]["SessionView"][];
            success: boolean;
        };
        SetupInput: {
            /** @description From the server's console; not needed on the server itself. */
            code?: string | null;
            password: string;
            username: string;
        };
        SetupState: {
            /** @description Whether this caller has to bring the code from the server's console. */
            code_required: boolean;
            /** @description Whether there is no user yet. */
            needed: boolean;
            success: boolean;
        };
        SignInReply: {
            /**
             * Format: int64
             * @description Seconds.
             */
            expires_in: number;
            success: boolean;
            /** @description For `Authorization: Bearer`. */
            token: string;
            user: components["schemas"]["UserView"];
        };
        StartInput: {
            /**
             * Format: double
             * @description 1–720; 90 when missing.
             */
            duration_minutes?: number | null;
            /** @description `auto`, `copy` or `encode`; as configured when missing. */
            mode?: string | null;
            session_id?: string | null;
        };
        StartReply: {
            recording: components["schemas"]["StartedView"];
            success: boolean;
        };
        /** @description The answer to `record/start`. */
        StartedView: {
            /**
             * Format: int64
             * @description Planned length.
             */
            duration_seconds: number;
            /** @description `copy` or `encode`. */
            mode: string;
            /**
             * Format: int64
             * @description The file's row.
             */
            recording_id: number;
            /** @description The session. */
            session_id: string;
            /** @description RFC 3339. */
            started_at: string;
            /** @description Where it is written. */
            video_path: string;
        };
        StatusReply: {
            status: components["schemas"]["RecordingStatus"];
            success: boolean;
        };
        StopReply: components["schemas"]["StoppedView"] & {
            success: boolean;
        };
        /** @description The answer to `record/stop`. */
        StoppedView: {
            /** @description Where to get it. */
            download_url: string;
            /**
             * Format: double
             * @description Its length.
             */
            duration_seconds: number;
            /**
             * Format: int64
             * @description The file's row.
             */
            recording_id: number;
            /** @description The session. */
            session_id: string;
            /**
             * Format: int64
             * @description Its size.
             */
            size_bytes: number;
            /** @description The file. */
            video_path: string;
        };
        StreamPasswordInput: {
            /**
             * @description Make a new one; the old one stops working.
             * @default false
             */
            renew: boolean;
        };
        StreamPasswordReply: {
            password: string;
            success: boolean;
            username: string;
        };
        /** @description Where to watch a camera. */
        StreamUrls: {
            /** @description MJPEG. */
            mjpeg: string;
            /** @description WebSocket for MSE. */
            mse: string;
            /** @description RTSP, by slug. */
            rtsp?: string | null;
            /** @description Snapshot. */
            snapshot: string;
            /** @description `main` or `sub`. */
            stream: string;
        };
        /** @description One stream of a camera, as observed now. */
        StreamView: {
            /**
             * Format: int32
             * @description Number of the next attempt, while waiting.
             */
            attempt?: number | null;
            /** @description Audio codec. */
            audio_codec?: string | null;
            /**
             * Format: int64
             * @description Measured kbit/s.
             */
            bitrate_kbps: number;
            /** @description Video codec. */
            codec?: string | null;
            /** @description The last failure, for people. */
            error?: string | null;
            /** @description The class of the last failure. */
            error_code?: string | null;
            /**
             * Format: double
             * @description Measured pictures per second.
             */
            fps: number;
            /**
             * Format: int32
             * @description Picture height.
             */
            height?: number | null;
            /** @description Whether a newcomer gets a picture at once. */
            instant_join: boolean;
            /**
             * Format: int64
             * @description Age of the newest frame.
             */
            last_frame_age_ms?: number | null;
            /** @description Recorders now. */
            recorders: number;
            /**
             * Format: int64
             * @description Milliseconds until the next attempt, while waiting.
             */
            retry_in_ms?: number | null;
            /**
             * Format: int64
             * @description Entries that slow readers had to skip.
             */
            skipped: number;
            /** @description `idle|connecting|live|silent|waiting|suspended|disabled`. */
            state: string;
            /** @description `main` or `sub`. */
            stream: string;
            /** @description Viewers now. */
            viewers: number;
            /**
             * Format: int32
             * @description Picture width.
             */
            width?: number | null;
        };
        StreamsReply: {
            count: number;
            streams: components["schemas"]["StreamUrls"][];
            success: boolean;
        };
        TerrainChangeInput: {
            /**
             * Format: int64
             * @description Another camera; null takes it away.
             */
            camera_id?: number | null;
            /** @description Whether sessions may be made on it. */
            enabled?: boolean | null;
            /** @description 1–80 characters, unique in the club without regard to case. */
            name?: string | null;
        };
        TerrainInput: {
            /**
             * Format: int64
             * @description The camera that looks at it; one without a club comes into this one.
             */
            camera_id?: number | null;
            /** @description Whether sessions may be made on it; true when it is left out. */
            enabled?: boolean | null;
            /** @description 1–80 characters, unique in the club without regard to case. */
            name: string;
        };
        TerrainReply: {
            success: boolean;
            terrain: components["schemas"]["TerrainView"];
        };
        /** @description A court as the API shows it. */
        TerrainView: {
            /**
             * Format: int64
             * @description The camera that looks at it.
             */
            camera_id?: number | null;
            /** @description What that is called. */
            camera_name?: string | null;
            /**
             * Format: int64
             * @description Its club.
             */
            club_id: number;
            /** @description What that is called. */
            club_name: string;
            /** @description When it was made (RFC 3339). */
            created_at: string;
            /** @description Whether sessions may be made on it. */
            enabled: boolean;
            /**
             * Format: int64
             * @description Its number.
             */
            id: number;
            /** @description Whether its camera sends pictures at this moment. */
            live: boolean;
            /** @description Its name. */
            name: string;
            /** @description Who records on it, while somebody does: people of the club share its courts. */
            recording_by?: string | null;
            /** @description When that recording ends by itself (RFC 3339). */
            recording_until?: string | null;
            /** @description The open session on it, when the caller may see that session. */
            session_id?: string | null;
            /** @description `disabled|no_camera|recording|reserved|camera_offline|ready`, the first that is true. */
            status: string;
        };
        TerrainsReply: {
            count: number;
            success: boolean;
            terrains: components["schemas"]["TerrainView"][];
        };
        TestReply: {
            result: components["schemas"]["TestView"];
            /** @description Whether the test ran; how it went stands in `result`. */
            success: boolean;
        };
        /** @description The result of a connection test: an item of `all_results` (contract §10.4). */
        TestView: {
            /** @description Audio codec. */
            audio_codec?: string | null;
            /** @description Video codec. */
            codec?: string | null;
            /** @description Way in. */
            connection_type: string;
            /** @description One sentence. */
            error?: string | null;
            /** @description `dns|tcp|auth|not_found|no_video|timeout|protocol|config`. */
            error_code?: string | null;
            /**
             * Format: double
             * @description Pictures per second.
             */
            fps?: number | null;
            /**
             * @description The first picture as `data:image/jpeg;base64,…`, at most 480 pixels wide and 200,023 bytes long; null after a
             *     failure, and when this server cannot decode it.
             */
            picture?: string | null;
            /** @description `1920x1080`. */
            resolution?: string | null;
            /**
             * Format: int64
             * @description Until the first proof of usable media.
             */
            response_time_ms?: number | null;
            /** @description Whether usable media came. */
            success: boolean;
            /** @description Redacted. */
            url?: string | null;
        };
        TicketReply: {
            /**
             * Format: int64
             * @description Seconds.
             */
            expires_in: number;
            success: boolean;
            /** @description For `?ticket=`. */
            ticket: string;
        };
        /** @description A limit that is spelt wrong must not be a limit that is missing: unknown fields are refused. */
        TokenInput: {
            /** Format: int64 */
            club_id?: number | null;
            /** @description RFC 3339. */
            expires_at?: string | null;
            name: string;
            read_only?: boolean;
            /** @description `SUPER_ADMIN`, `CLUB_ADMIN` or `PLAYER`; at most one's own, which is the default. */
            role?: string | null;
        };
        /** @description An API token as its owner sees it. */
        TokenView: {
            /**
             * Format: int64
             * @description The club it is limited to.
             */
            club_id?: number | null;
            /** @description When it was made (RFC 3339). */
            created_at: string;
            /** @description When it ends (RFC 3339). */
            expires_at?: string | null;
            /**
             * Format: int64
             * @description Its number.
             */
            id: number;
            /** @description When it last let somebody in, to the minute (RFC 3339). */
            last_used_at?: string | null;
            /** @description What the owner calls it. */
            name: string;
            /** @description Whether it may only read. */
            read_only: boolean;
            /** @description What it may do at most. */
            role: string;
        };
        TokensReply: {
            count: number;
            success: boolean;
            tokens: components["schemas"]["TokenView"][];
        };
        UserChangeInput: {
            /** Format: int64 */
            club_id?: number | null;
            enabled?: boolean | null;
            /** @description `SUPER_ADMIN`, `CLUB_ADMIN` or `PLAYER`. */
            role?: string | null;
            username?: string | null;
        };
        UserReply: {
            success: boolean;
            user: components["schemas"]["AccountView"];
        };
        /** @description A user as the API shows it. */
        UserView: {
            /**
             * Format: int64
             * @description Its club.
             */
            club_id?: number | null;
            /** @description What that is called. */
            club_name?: string | null;
            /**
             * Format: int64
             * @description Its number.
             */
            id: number;
            /** @description `SUPER_ADMIN`, `CLUB_ADMIN` or `PLAYER`. */
            role: string;
            /**
             * Format: int64
             * @description Of a kiosk pass: the one court that it opens.
             */
            terrain_id?: number | null;
            /** @description Its name. */
            username: string;
        };
        UsersReply: {
            count: number;
            success: boolean;
            users: components["schemas"]["AccountView"][];
        };
        VideoHealth: {
            active_recordings: number;
            active_sessions: number;
            disk: components["schemas"]["Disk"];
            encoder: components["schemas"]["EncoderView"];
            ffmpeg: components["schemas"]["Ffmpeg"];
            max_concurrent_recordings: number;
            /** @description Ports of per-session listeners; empty unless those are switched on. */
            proxy_ports: number[];
            status: string;
            success: boolean;
            videos: components["schemas"]["VideoTotals"];
        };
        /** @description Finished files. */
        VideoTotals: {
            /**
             * Format: int64
             * @description How many.
             */
            count: number;
            /**
             * Format: int64
             * @description All together.
             */
            total_size_bytes: number;
        };
        /** @description One recorded file in a list (contract §20.6). */
        VideoView: {
            /** @description Audio codec. */
            audio_codec?: string | null;
            /**
             * Format: int64
             * @description The camera.
             */
            camera_id?: number | null;
            /** @description What the camera was called then. */
            camera_name: string;
            /**
             * Format: int64
             * @description Of a clip: the recording that it was cut from.
             */
            clip_of?: number | null;
            /**
             * Format: int64
             * @description 0 without a court.
             */
            club_id: number;
            /** @description Video codec. */
            codec?: string | null;
            /** @description RFC 3339: when it began. */
            created_at: string;
            /** @description Where to get it. */
            download_url: string;
            /**
             * Format: double
             * @description Its length.
             */
            duration_seconds: number;
            /** @description RFC 3339: when it ended. */
            ended_at?: string | null;
            /** @description `sess_….mp4`. */
            filename: string;
            /** @description Holes in it. */
            gaps: components["schemas"]["GapView"][];
            /**
             * Format: int64
             * @description Picture height.
             */
            height?: number | null;
            /** @description Whether the process died while it was written. */
            interrupted: boolean;
            /** @description `session` or `clip`. */
            kind: string;
            /** @description Whether it is protected. */
            locked: boolean;
            /**
             * Format: int64
             * @description How many markers it has.
             */
            markers: number;
            /**
             * Format: int64
             * @description The file's row.
             */
            recording_id: number;
            /** @description The session. */
            session_id: string;
            /**
             * Format: int64
             * @description Its size.
             */
            size_bytes: number;
            /**
             * Format: double
             * @description In units of 1,048,576 bytes, two decimals.
             */
            size_mb: number;
            /** @description `open|sealed|failed`. */
            state: string;
            /**
             * Format: int64
             * @description The court.
             */
            terrain_id?: number | null;
            /** @description What the court is called now. */
            terrain_name?: string | null;
            /**
             * Format: int64
             * @description Who recorded it.
             */
            user_id?: number | null;
            /** @description What that user is called now. */
            username?: string | null;
            /**
             * Format: int64
             * @description Picture width.
             */
            width?: number | null;
        };
    };
    responses: {
        /** @description It did not work: `code` says why. */
        Failure: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Failure"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_api_admin_audit: {
        parameters: {
            query?: {
                /** @description 1–1000; 100 when missing. */
                limit?: number;
                /** @description Older than the entry of this number. */
                before?: number;
                /** @description By this name, without regard to case. */
                actor?: string;
                /** @description This action; with a trailing dot, every action that begins so (`camera.`). */
                action?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_admin_users: {
        parameters: {
            query?: {
                club_id?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsersReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_admin_users: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUserInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewUserReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_admin_users_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    put_api_admin_users_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserChangeInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    delete_api_admin_users_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_admin_users_id_password: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ResetInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ResetReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_auth_kiosk: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KioskInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KioskReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_auth_login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_auth_logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_auth_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_auth_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_auth_refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_auth_stream_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StreamPasswordInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StreamPasswordReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_auth_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokensReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_auth_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewTokenReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    delete_api_auth_tokens_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_cameras: {
        parameters: {
            query?: {
                club_id?: number;
                /** @description `excellent`, `good`, `fair`, `poor`, `offline` or `unknown`. */
                health?: string;
                connection_type?: string;
                manufacturer?: string;
                /** @description Words in name, slug, model, host or tags. */
                q?: string;
                /** @description From 1. */
                page?: number;
                /** @description 1–500; all when missing. */
                per_page?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CamerasReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_cameras: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CameraInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CameraReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_cameras_test: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CameraInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_cameras_id: {
        parameters: {
            query?: {
                /** @description `1` shows URLs with their passwords; for super administrators, and audited. */
                reveal?: string;
            };
            header?: never;
            path: {
                /** @description Number or slug */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CameraReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    put_api_cameras_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number or slug */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CameraInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CameraReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    delete_api_cameras_id: {
        parameters: {
            query?: {
                /** @description `1` deletes it even while it is recorded. */
                force?: string;
            };
            header?: never;
            path: {
                /** @description Number or slug */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    patch_api_cameras_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number or slug */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CameraInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CameraReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_cameras_id_events: {
        parameters: {
            query?: {
                /** @description Older than the event of this number. */
                before?: number;
                /** @description 1–1000; 100 when missing. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description Number or slug */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventsReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_cameras_id_snapshot_jpg: {
        parameters: {
            query?: {
                /** @description `main` (default) or `sub`. */
                stream?: string;
                /** @description Most pixels in a row; never enlarged. 16 to 8192. */
                width?: number;
                /** @description JPEG quality, 1 to 100. */
                quality?: number;
                /** @description Most pictures per second. */
                fps?: number;
                /** @description `1`: the newest frame instead of the newest key frame. */
                newest?: string;
            };
            header?: never;
            path: {
                /** @description Number or slug */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": number[];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `camera_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unsupported`: needs ffmpeg */
            501: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `camera_unreachable` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `no_frame_yet` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_cameras_id_stream_mjpeg: {
        parameters: {
            query?: {
                /** @description `main` (default) or `sub`. */
                stream?: string;
                /** @description Most pixels in a row; never enlarged. 16 to 8192. */
                width?: number;
                /** @description JPEG quality, 1 to 100. */
                quality?: number;
                /** @description Most pictures per second. */
                fps?: number;
                /** @description `1`: the newest frame instead of the newest key frame. */
                newest?: string;
            };
            header?: never;
            path: {
                /** @description Number or slug */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "multipart/x-mixed-replace; boundary=frame": number[];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `camera_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `camera_unreachable` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `no_frame_yet` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_cameras_id_streams: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number or slug */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StreamsReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_cameras_id_test: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number or slug */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_cameras_id_ticket: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number or slug */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TicketReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_clubs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClubsReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_clubs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClubInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClubReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_clubs_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClubReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    put_api_clubs_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClubChangeInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClubReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    delete_api_clubs_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_clubs_id_terrains: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TerrainsReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_clubs_id_terrains: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TerrainInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TerrainReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_events: {
        parameters: {
            query?: {
                /** @description Older than the event of this number. */
                before?: number;
                /** @description 1–1000; 100 when missing. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventsReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_events_stream: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_events_ws: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description WebSocket */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_health_cameras_id_reconnect: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Number or slug */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Reconnecting"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_health_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CameraCounts"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_live_ws: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description WebSocket */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_preview_session_id_info: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PreviewAnswer"];
                };
            };
            /** @description `not_owner`, `other_club`, `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `session_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_preview_session_id_snapshot_jpg: {
        parameters: {
            query?: {
                /** @description `main` (default) or `sub`. */
                stream?: string;
                /** @description Most pixels in a row; never enlarged. 16 to 8192. */
                width?: number;
                /** @description JPEG quality, 1 to 100. */
                quality?: number;
                /** @description Most pictures per second. */
                fps?: number;
                /** @description `1`: the newest frame instead of the newest key frame. */
                newest?: string;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": number[];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `session_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `camera_unreachable` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `no_frame_yet` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_preview_session_id_stream_mjpeg: {
        parameters: {
            query?: {
                /** @description `main` (default) or `sub`. */
                stream?: string;
                /** @description Most pixels in a row; never enlarged. 16 to 8192. */
                width?: number;
                /** @description JPEG quality, 1 to 100. */
                quality?: number;
                /** @description Most pictures per second. */
                fps?: number;
                /** @description `1`: the newest frame instead of the newest key frame. */
                newest?: string;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "multipart/x-mixed-replace; boundary=frame": number[];
                };
            };
            /** @description `forbidden` */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `session_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `camera_unreachable` */
            502: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `no_frame_yet` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_preview_session_id_ticket: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TicketReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_preview_session_id_ws: {
        parameters: {
            query?: {
                /** @description `main` (default) or `sub`. */
                stream?: string;
                /** @description Most pixels in a row; never enlarged. 16 to 8192. */
                width?: number;
                /** @description JPEG quality, 1 to 100. */
                quality?: number;
                /** @description Most pictures per second. */
                fps?: number;
                /** @description `1`: the newest frame instead of the newest key frame. */
                newest?: string;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description WebSocket */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `session_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_setup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SetupState"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_setup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetupInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignInReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_system_diagnose: {
        parameters: {
            query?: {
                /** @description `1`: as a file to be saved. */
                download?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Diagnosis"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_terrains: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TerrainsReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_terrains_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TerrainReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    put_api_terrains_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TerrainChangeInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TerrainReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    delete_api_terrains_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_terrains_id_kiosk: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PassesReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_terrains_id_kiosk: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PassInput"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PassReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    delete_api_terrains_id_kiosk_pass_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
                pass_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_video_cleanup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CleanUpReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_video_files_list: {
        parameters: {
            query?: {
                /** @description Whose files; one's own club when missing. */
                club_id?: number;
                /** @description `session` (default): whole recordings; `clip`: moments kept of them; `all`. */
                kind?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FilesReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_video_files_session_id_clip: {
        parameters: {
            query?: {
                /** @description Seconds as the recording plays. */
                from?: number;
                /** @description Seconds; moved to the end when it lies behind it. */
                to?: number;
                /** @description Which file of the session; the newest recording when missing. */
                recording_id?: number;
                /** @description Checked when given. */
                club_id?: number;
                /** @description `1` shows it in the page instead of saving it. */
                inline?: string;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description Partial Content */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description Not Modified */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `recording_active` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Range Not Satisfiable */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Unprocessable Entity */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    delete_api_video_files_session_id_delete: {
        parameters: {
            query?: {
                club_id?: number;
                /** @description Which file of the session; the newest when missing. */
                recording_id?: number;
                /** @description `1` shows it in the page instead of saving it. */
                inline?: string;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description `locked` */
            423: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_video_files_session_id_download: {
        parameters: {
            query?: {
                club_id?: number;
                /** @description Which file of the session; the newest when missing. */
                recording_id?: number;
                /** @description `1` shows it in the page instead of saving it. */
                inline?: string;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description Partial Content */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "video/mp4": unknown;
                };
            };
            /** @description Not Modified */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Range Not Satisfiable */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_video_files_session_id_lock: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LockInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LockReply"];
                };
            };
            /** @description `video_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_video_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VideoHealth"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_video_record_estimate: {
        parameters: {
            query?: {
                /** @description A session; or else: */
                session_id?: string;
                /** @description a court; or else: */
                terrain_id?: number;
                /** @description a camera without a court. */
                camera_id?: number;
                /** @description 1–720; 90 when missing. */
                duration_minutes?: number;
                /** @description `auto`, `copy` or `encode`; as configured when missing. */
                mode?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EstimateReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_video_record_start: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StartInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StartReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_video_record_status_session_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatusReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_video_record_stop: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StopReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_video_record_session_id_log: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description `log_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_video_session_close: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClosedReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_video_session_create: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_video_session_list: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionsReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    post_api_video_session_session_id_mark: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MarkInput"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MarkReply"];
                };
            };
            /** @description `seconds_out_of_range` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `no_frame_yet` */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_api_video_session_session_id_markers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MarkersReply"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    delete_api_video_session_session_id_markers_marker_id: {
        parameters: {
            query?: {
                /** @description `1`: the clip's file too; for administrators. */
                clip?: string;
            };
            header?: never;
            path: {
                session_id: string;
                marker_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description `marker_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alive"];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/openmetrics-text": string;
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_proxy_session_id_health: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProxyHealth"];
                };
            };
            /** @description `session_not_found` */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Failure"];
        };
    };
    get_proxy_session_id_snapshot_jpg: {
        parameters: {
            query?: {
                /** @description `main` (default) or `sub`. */
                stream?: string;
                /** @description Most pixels in a row; never enlarged. 16 to 8192. */
                width?: number;
                /** @description JPEG quality, 1 to 100. */
                quality?: number;
                /** @description Most pictures per second. */
                fps?: number;
                /** @description `1`: the newest frame instead of the newest key frame. */
                newest?: string;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/jpeg": number[];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
    get_proxy_session_id_stream_mjpg: {
        parameters: {
            query?: {
                /** @description `main` (default) or `sub`. */
                stream?: string;
                /** @description Most pixels in a row; never enlarged. 16 to 8192. */
                width?: number;
                /** @description JPEG quality, 1 to 100. */
                quality?: number;
                /** @description Most pictures per second. */
                fps?: number;
                /** @description `1`: the newest frame instead of the newest key frame. */
                newest?: string;
            };
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "multipart/x-mixed-replace; boundary=frame": number[];
                };
            };
            default: components["responses"]["Failure"];
        };
    };
}
