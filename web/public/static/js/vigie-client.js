/*!
 * Vigie client: sessions, recordings and files of a Vigie server, in a page that somebody else wrote.
 *
 * Classic script:   <script src="/static/js/vigie-client.js"></script>      then  videoSystemService.createSession(1)
 * ES module:        import { videoSystemService } from '/static/js/vigie-client.mjs'
 *
 * No dependencies, no build step; this file is what runs. docs/client.md explains it with examples.
 *
 * Three rules:
 * - Every function that asks the server gives a Promise of the server's JSON answer as it is (`{ success: true, … }`).
 * - Every failure is a `VigieError` with a stable `code` (`session_exists`, `camera_unreachable`, `offline`, …).
 * - Nothing is kept in localStorage: who uses a token keeps it themselves; a page of the server itself needs none.
 */
((scope) => {
  /** A ticket is asked for anew when it has less than this left. */
  const TICKET_MARGIN_MS = 60_000;
  /** How often a running recording is asked about. */
  const STATUS_POLL_MS = 2_000;
  /** How often the server's health is asked for. */
  const HEALTH_POLL_MS = 10_000;

  /** Any failure: of the network (`status` 0, `code` "offline"), or the server's own words. */
  class VigieError extends Error {
    /**
     * @param {number} status HTTP status; 0 when there was no answer
     * @param {string} code stable word for programs
     * @param {string} message one sentence for people
     * @param {object} [details] particulars, such as `session_id` of `session_exists`
     * @param {number} [retryAfter] seconds after which another try makes sense
     */
    constructor(status, code, message, details = {}, retryAfter = undefined) {
      super(message);
      this.name = 'VigieError';
      this.status = status;
      this.code = code;
      this.details = details;
      this.retryAfter = retryAfter;
    }
  }

  /**
   * A client of one server.
   *
   * @param {object} [options]
   * @param {string} [options.baseUrl] where the server is, such as "https://vigie.example"; "" for the page's own server
   * @param {string | (() => string | Promise<string>)} [options.token] access or API token, or a function that gives one
   * @param {RequestCredentials} [options.credentials] "same-origin" (default), "include" for a server elsewhere whose
   *   cookie is used (it has to name this page's origin in `http.cors_origins`), "omit"
   * @param {string} [options.language] language of error messages, "en" or "fr"; the browser's when not given
   * @param {typeof fetch} [options.fetch] instead of the global one
   */
  function createVideoSystem(options = {}) {
    let settings = { baseUrl: '', credentials: 'same-origin', ...options };
    /** @type {Promise<boolean> | null} */
    let refreshing = null;
    /** @type {Map<string, { ticket: string, until: number }>} */
    const tickets = new Map();

    /** Changes options of this client; those that are not named stay. */
    function configure(more) {
      settings = { ...settings, ...more };
      tickets.clear();
    }

    const url = (path) => settings.baseUrl.replace(/\/+$/, '') + path;

    async function send(method, path, body) {
      const token = typeof settings.token === 'function' ? await settings.token() : settings.token;
      const headers = { Accept: 'application/json' };
      if (settings.language) headers['Accept-Language'] = settings.language;
      if (token) headers.Authorization = `Bearer ${token}`;
      // Proves that no foreign page made the browser send its cookie.
      if (method !== 'GET') headers['X-Requested-With'] = 'vigie';
      if (body !== undefined) headers['Content-Type'] = 'application/json';
      const ask = settings.fetch ?? scope.fetch.bind(scope);
      try {
        return await ask(url(path), {
          method,
          headers,
          credentials: settings.credentials,
          body: body === undefined ? undefined : JSON.stringify(body),
        });
      } catch (cause) {
        const error = new VigieError(0, 'offline', 'The server does not answer.');
        error.cause = cause;
        throw error;
      }
    }

    /** A cookie lives for minutes, a sign-in for days: one refresh at a time, however many requests need it. */
    function refresh() {
      refreshing ??= send('POST', '/api/auth/refresh')
        .then((response) => response.ok)
        .catch(() => false)
        .finally(() => {
          refreshing = null;
        });
      return refreshing;
    }

    async function respond(method, path, body) {
      const response = await send(method, path, body);
      const byCookie = !settings.token && settings.credentials !== 'omit';
      if (response.status === 401 && byCookie && (await refresh())) return send(method, path, body);
      return response;
    }

    async function failure(response) {
      const body = await response.json().catch(() => ({}));
      const pause = Number(response.headers.get('Retry-After'));
      return new VigieError(
        response.status,
        typeof body.code === 'string' ? body.code : `http_${response.status}`,
        body.error ?? body.message ?? `The server answered ${response.status}.`,
        body.details ?? {},
        pause > 0 ? pause : undefined,
      );
    }

    async function call(method, path, body) {
      const response = await respond(method, path, body);
      if (!response.ok) throw await failure(response);
      const answer = await response.json().catch(() => {
        throw new VigieError(response.status, 'bad_answer', 'The server did not answer with JSON.');
      });
      if (answer?.success === false) {
        throw new VigieError(
          response.status,
          answer.code ?? 'failed',
          answer.error ?? 'It did not work.',
          answer.details,
        );
      }
      return answer;
    }

    const segment = (id) => encodeURIComponent(String(id));
    const query = (values) => {
      const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
      return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
    };

    /** Opens a session on a court: `{ session: { session_id, local_url, proxy_port, verified, … } }`. */
    const createSession = (terrainId) => call('POST', '/api/video/session/create', { terrain_id: terrainId });

    /** Closes a session that does not record. */
    async function closeSession(sessionId) {
      const answer = await call('POST', '/api/video/session/close', { session_id: sessionId });
      tickets.delete(String(sessionId));
      return answer;
    }

    /** Open sessions that the caller may see: `{ count, sessions }`. */
    const listSessions = () => call('GET', '/api/video/session/list');

    /** Records for so many minutes; 90 when not said. */
    const startRecording = (sessionId, duration) =>
      call('POST', '/api/video/record/start', { session_id: sessionId, duration_minutes: duration });

    /** Ends the recording; answers when the file is complete: `{ video_path, size_bytes, download_url, … }`. */
    const stopRecording = (sessionId) => call('POST', '/api/video/record/stop', { session_id: sessionId });

    /** `{ status: { active, elapsed_seconds, duration_seconds, progress_percent, … } }`. */
    const getRecordingStatus = (sessionId) => call('GET', `/api/video/record/status/${segment(sessionId)}`);

    /** Recorded files of a club: `{ count, total_size_bytes, videos }`. */
    const listVideos = (clubId) => call('GET', `/api/video/files/list${query({ club_id: clubId })}`);

    /** Where a file is. By cookie a browser can be sent there; with a token see `downloadVideo`. */
    const getDownloadUrl = (sessionId, clubId) =>
      url(`/api/video/files/${segment(sessionId)}/download${query({ club_id: clubId })}`);

    /**
     * Saves the file as the browser saves files; gives `{ filename, url }`. By cookie the browser fetches it itself and
     * shows how far it is. With a token it is fetched here first, because a link cannot carry one.
     */
    async function downloadVideo(sessionId, clubId) {
      const address = getDownloadUrl(sessionId, clubId);
      const filename = `${sessionId}.mp4`;
      if (!scope.document) throw new VigieError(0, 'no_browser', 'Only a page can save files; fetch getDownloadUrl().');
      if (!settings.token) {
        save(address, filename);
        return { filename, url: address };
      }
      const response = await respond('GET', address.slice(url('').length));
      if (!response.ok) throw await failure(response);
      const blobUrl = URL.createObjectURL(await response.blob());
      save(blobUrl, filename);
      // The browser reads it after this task; a minute is plenty to begin.
      setTimeout(() => URL.revokeObjectURL(blobUrl), 60_000);
      return { filename, url: address };
    }

    function save(href, filename) {
      const link = scope.document.createElement('a');
      link.href = href;
      link.download = filename;
      scope.document.body.append(link);
      link.click();
      link.remove();
    }

    /** Deletes a file; administrators only. */
    const deleteVideo = (sessionId, clubId) =>
      call('DELETE', `/api/video/files/${segment(sessionId)}/delete${query({ club_id: clubId })}`);

    /** Counts and health of the recorder: `{ status, ffmpeg, active_sessions, active_recordings, disk, … }`. */
    const checkHealth = () => call('GET', '/api/video/health');

    /** Closes forgotten sessions and removes empty files; administrators only. */
    const cleanup = () => call('POST', '/api/video/cleanup');

    function known(sessionId) {
      const held = tickets.get(String(sessionId));
      return held && held.until - TICKET_MARGIN_MS > Date.now() ? held.ticket : undefined;
    }

    /** A ticket for the session's pictures: ten minutes to open them; what is open stays open. */
    async function getTicket(sessionId) {
      const held = known(sessionId);
      if (held) return held;
      const answer = await call('POST', `/api/preview/${segment(sessionId)}/ticket`);
      tickets.set(String(sessionId), { ticket: answer.ticket, until: Date.now() + answer.expires_in * 1000 });
      return answer.ticket;
    }

    const picture = (sessionId, name, values) =>
      url(`/api/preview/${segment(sessionId)}/${name}${query({ ...values, ticket: known(sessionId) })}`);

    /**
     * Live pictures for an `<img>`. With a token the address needs a ticket: it holds one when `getStreamUrlAsync` or
     * `getTicket` was awaited before, else use those.
     */
    const getStreamUrl = (sessionId) => picture(sessionId, 'stream.mjpeg', {});

    /** One picture, newly addressed each time so that no cache answers. With a token as `getStreamUrl`. */
    const getSnapshotUrl = (sessionId) => picture(sessionId, 'snapshot.jpg', { t: Date.now() });

    async function withTicket(sessionId, address) {
      if (settings.token) await getTicket(sessionId);
      return address(sessionId);
    }

    /** `getStreamUrl` with a ticket where one is needed. */
    const getStreamUrlAsync = (sessionId) => withTicket(sessionId, getStreamUrl);

    /** `getSnapshotUrl` with a ticket where one is needed. */
    const getSnapshotUrlAsync = (sessionId) => withTicket(sessionId, getSnapshotUrl);

    return {
      configure,
      createSession,
      closeSession,
      listSessions,
      startRecording,
      stopRecording,
      getRecordingStatus,
      listVideos,
      getDownloadUrl,
      downloadVideo,
      deleteVideo,
      checkHealth,
      cleanup,
      getTicket,
      getStreamUrl,
      getStreamUrlAsync,
      getSnapshotUrl,
      getSnapshotUrlAsync,
    };
  }

  /**
   * A value that can be watched. `getState` gives the same object until something changed, so React takes it as it is:
   * `useSyncExternalStore(holder.subscribe, holder.getState)`.
   */
  function holder(initial, { onFirst = () => {}, onLast = () => {} } = {}) {
    let state = Object.freeze(initial);
    const listeners = new Set();
    return {
      getState: () => state,
      set(change) {
        state = Object.freeze({ ...state, ...change });
        for (const listener of [...listeners]) listener();
      },
      subscribe(listener) {
        listeners.add(listener);
        if (listeners.size === 1) onFirst();
        return () => {
          if (listeners.delete(listener) && listeners.size === 0) onLast();
        };
      },
    };
  }

  /** Runs `work` now and again, one at a time, until stopped. */
  function poller(work, everyMs) {
    let timer;
    let running = false;
    async function turn() {
      await work();
      if (running) timer = setTimeout(turn, everyMs);
    }
    return {
      start() {
        if (running) return;
        running = true;
        void turn();
      },
      stop() {
        running = false;
        clearTimeout(timer);
      },
    };
  }

  /**
   * One court's recording, from the first click to the file.
   * State: `{ phase, session, status, streamUrl, snapshotUrl, result, error }`; `phase` is one of `idle`, `creating`,
   * `ready`, `starting`, `recording`, `stopping`, `complete`, `failed`.
   */
  function videoRecording({ service = videoSystemService, pollMs = STATUS_POLL_MS } = {}) {
    const empty = { session: null, status: null, streamUrl: null, snapshotUrl: null, result: null, error: null };
    const store = holder({ phase: 'idle', ...empty });
    const id = () => store.getState().session?.session_id;

    async function look() {
      const asked = id();
      const { status } = await service.getRecordingStatus(asked).catch((error) => {
        if (id() === asked) store.set({ error });
        return {};
      });
      // Meanwhile it may have been stopped, or another one opened.
      if (!status || id() !== asked || store.getState().phase !== 'recording') return;
      store.set({ status, error: null });
      if (status.active) return;
      polling.stop();
      store.set(status.error ? { phase: 'failed' } : { phase: 'complete', result: status });
    }
    const polling = poller(look, pollMs);

    /** Moves on; what fails is both in the state and thrown. */
    async function step(during, after, back, work) {
      store.set({ phase: during, error: null });
      try {
        const change = await work();
        store.set({ phase: after, ...change });
      } catch (error) {
        store.set({ phase: back, error });
        throw error;
      }
    }

    async function show(session) {
      return {
        session,
        streamUrl: await service.getStreamUrlAsync(session.session_id),
        snapshotUrl: await service.getSnapshotUrlAsync(session.session_id),
      };
    }

    return {
      getState: store.getState,
      subscribe: store.subscribe,
      /** Opens a session on a court. */
      open: (terrainId) =>
        step('creating', 'ready', 'idle', async () => {
          const { session } = await service.createSession(terrainId);
          return { ...empty, ...(await show(session)) };
        }),
      /** Goes on with a session of `listSessions`, whether it records or not. */
      async attach(session) {
        await step('creating', session.recording_active ? 'recording' : 'ready', 'idle', async () => ({
          ...empty,
          ...(await show(session)),
        }));
        if (session.recording_active) polling.start();
      },
      /** Records for so many minutes. */
      async start(duration) {
        await step('starting', 'recording', 'ready', async () => {
          await service.startRecording(id(), duration);
          return { status: null, result: null };
        });
        polling.start();
      },
      /** Ends the recording; the file is then complete. */
      async stop() {
        polling.stop();
        try {
          await step('stopping', 'complete', 'recording', async () => ({ result: await service.stopRecording(id()) }));
        } catch (error) {
          polling.start();
          throw error;
        }
      },
      /** Closes the session. */
      async close() {
        polling.stop();
        const before = store.getState().phase;
        await step(before, 'idle', before, async () => {
          await service.closeSession(id());
          return empty;
        });
      },
      /** Lets go of it: nothing is asked any more. The recording goes on. */
      destroy: () => polling.stop(),
    };
  }

  /** Files of a club. State: `{ loading, videos, count, totalSizeBytes, error }`. */
  function videoList(clubId, { service = videoSystemService } = {}) {
    const store = holder({ loading: false, videos: [], count: 0, totalSizeBytes: 0, error: null });
    let newest = 0;
    async function refresh() {
      newest += 1;
      const mine = newest;
      store.set({ loading: true });
      try {
        const { videos, count, total_size_bytes: totalSizeBytes } = await service.listVideos(clubId);
        if (mine === newest) store.set({ loading: false, videos, count, totalSizeBytes, error: null });
      } catch (error) {
        if (mine === newest) store.set({ loading: false, error });
      }
    }
    return {
      getState: store.getState,
      subscribe: store.subscribe,
      refresh,
      download: (sessionId) => service.downloadVideo(sessionId, clubId),
      /** Deletes a file and looks again. */
      async remove(sessionId) {
        await service.deleteVideo(sessionId, clubId);
        await refresh();
      },
    };
  }

  /** The server's health, asked for while somebody is subscribed. State: `{ online, health, error }`. */
  function systemHealth({ service = videoSystemService, pollMs = HEALTH_POLL_MS } = {}) {
    async function refresh() {
      try {
        store.set({ online: true, health: await service.checkHealth(), error: null });
      } catch (error) {
        store.set({ online: error.status > 0, error });
      }
    }
    const polling = poller(refresh, pollMs);
    const store = holder({ online: null, health: null, error: null }, { onFirst: polling.start, onLast: polling.stop });
    return { getState: store.getState, subscribe: store.subscribe, refresh };
  }

  const videoSystemService = createVideoSystem();
  scope.videoSystemService = videoSystemService;
  scope.VigieClient = {
    VigieError,
    createVideoSystem,
    videoSystemService,
    useVideoRecording: videoRecording,
    useVideoList: videoList,
    useSystemHealth: systemHealth,
  };
})(globalThis);
