// Server state: one hook per question, one function per action. Keys are shared with the event stream (events.ts).
import { MutationCache, QueryCache, QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useStore } from '../lib/store';
import { ApiError, del, get, patch, post } from './client';
import { rememberHere } from './early';
import { failed, heard, link } from './link';
import type {
  ApiToken,
  Camera,
  CameraEvent,
  CameraInput,
  Club,
  RecordingStatus,
  Role,
  ServerHealth,
  Session,
  StreamUrls,
  Target,
  TestResult,
  User,
  Video,
  VideoHealth,
} from './model';
import { closeFinished, startRecording, stopRecording } from './sessions';

export const keys = {
  me: ['me'] as const,
  cameras: ['cameras'] as const,
  camera: (id: number) => ['cameras', id] as const,
  urls: (id: number) => ['cameras', id, 'urls'] as const,
  events: (id: number) => ['cameras', id, 'events'] as const,
  sessions: ['sessions'] as const,
  status: (session: string) => ['sessions', session, 'status'] as const,
  videos: ['videos'] as const,
  tokens: ['tokens'] as const,
  health: ['health'] as const,
  videoHealth: ['video-health'] as const,
  clubs: ['clubs'] as const,
  terrains: ['terrains'] as const,
  markers: (session: string) => ['markers', session] as const,
};

const retry = (count: number, error: Error) => error instanceof ApiError && error.status === 0 && count < 1;

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onSuccess: heard, onError: failed }),
  mutationCache: new MutationCache({ onSuccess: heard, onError: failed }),
  defaultOptions: {
    queries: { staleTime: 2000, retry, retryDelay: 800, refetchOnWindowFocus: true, networkMode: 'always' },
    mutations: { networkMode: 'always' },
  },
});

/** How often to ask when the event stream tells changes, and when it does not. */
export function usePace(withEvents: number, without: number): number {
  return useStore(link).events ? withEvents : without;
}

export type Identity =
  | { kind: 'setup'; codeRequired: boolean }
  | { kind: 'nobody' }
  | { kind: 'user'; user: User; banner?: string | null };

/** Who we are, or what has to happen first. */
export async function fetchIdentity(): Promise<Identity> {
  try {
    const { user, banner } = await get<{ user: User; banner?: string | null }>('/api/auth/me');
    rememberHere(true);
    return { kind: 'user', user, banner };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  }
  rememberHere(false);
  const setup = await get<{ needed: boolean; code_required?: boolean }>('/api/setup');
  return setup.needed ? { kind: 'setup', codeRequired: setup.code_required !== false } : { kind: 'nobody' };
}

export const useIdentity = () => useQuery({ queryKey: keys.me, queryFn: fetchIdentity, staleTime: Infinity });

export function useCameras() {
  return useQuery({
    queryKey: keys.cameras,
    queryFn: async ({ signal }) => (await get<{ cameras: Camera[] }>('/api/cameras', signal)).cameras,
    refetchInterval: usePace(10_000, 4000),
  });
}

export function useCamera(id: number) {
  const client = useQueryClient();
  return useQuery({
    queryKey: keys.camera(id),
    queryFn: async ({ signal }) => (await get<{ camera: Camera }>(`/api/cameras/${id}`, signal)).camera,
    refetchInterval: 2000,
    placeholderData: client.getQueryData<Camera[]>(keys.cameras)?.find((camera) => camera.id === id),
  });
}

export const useStreamUrls = (id: number) =>
  useQuery({
    queryKey: keys.urls(id),
    queryFn: async ({ signal }) => (await get<{ streams: StreamUrls[] }>(`/api/cameras/${id}/streams`, signal)).streams,
    staleTime: 60_000,
  });

export const useCameraEvents = (id: number) =>
  useQuery({
    queryKey: keys.events(id),
    queryFn: async ({ signal }) =>
      (await get<{ events: CameraEvent[] }>(`/api/cameras/${id}/events?limit=50`, signal)).events,
    refetchInterval: 15_000,
  });

export function useSessions() {
  return useQuery({
    queryKey: keys.sessions,
    queryFn: async ({ signal }) => (await get<{ sessions: Session[] }>('/api/video/session/list', signal)).sessions,
    refetchInterval: usePace(10_000, 3000),
  });
}

/** Closes what this page opened as soon as it records no more. For the frame around every page. */
export function useTidySessions() {
  const sessions = useSessions().data;
  useEffect(() => {
    if (sessions) void closeFinished(sessions);
  }, [sessions]);
}

/** The running recording of a camera, if any. */
export function useRecordingOf(cameraId: number): Session | undefined {
  return useSessions().data?.find((session) => session.camera_id === cameraId && session.recording_active);
}

export const useRecordingStatus = (session: string | undefined) =>
  useQuery({
    queryKey: keys.status(session ?? ''),
    queryFn: async ({ signal }) =>
      (await get<{ status: RecordingStatus }>(`/api/video/record/status/${session}`, signal)).status,
    enabled: session !== undefined,
    refetchInterval: 2000,
  });

export function useVideos() {
  return useQuery({
    queryKey: keys.videos,
    queryFn: ({ signal }) => fetchVideos(signal),
    refetchInterval: usePace(30_000, 8000),
  });
}

/**
 * Every recording and clip the reader may see, newest first. Those with one club get that club's; an administrator of
 * all asks for each club, and for what belongs to none.
 */
async function fetchVideos(signal: AbortSignal): Promise<Video[]> {
  const me = queryClient.getQueryData<Identity>(keys.me);
  const of = async (club?: number) => {
    const query = new URLSearchParams({ kind: 'all', ...(club !== undefined && { club_id: String(club) }) });
    return (await get<{ videos: Video[] }>(`/api/video/files/list?${query}`, signal)).videos;
  };
  if (me?.kind === 'user' && me.user.role !== 'SUPER_ADMIN') return of();
  const clubs = await queryClient
    .fetchQuery({ queryKey: keys.clubs, queryFn: () => fetchClubs(), staleTime: 20_000 })
    .catch((error: unknown) => {
      // A server that knows no clubs still has videos.
      if (error instanceof ApiError && error.status === 404) return [];
      throw error;
    });
  const lists = await Promise.all([of(0), ...clubs.map((club) => of(club.id))]);
  return lists.flat().sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
}

export const fetchClubs = async (signal?: AbortSignal) => (await get<{ clubs: Club[] }>('/api/clubs', signal)).clubs;

export const useTokens = () =>
  useQuery({
    queryKey: keys.tokens,
    queryFn: async () => (await get<{ tokens: ApiToken[] }>('/api/auth/tokens')).tokens,
  });

export const useServerHealth = () =>
  useQuery({ queryKey: keys.health, queryFn: () => get<ServerHealth>('/api/health'), refetchInterval: 30_000 });

export const actions = {
  setup: (body: { username: string; password: string; code?: string }) => post<{ user: User }>('/api/setup', body),
  login: (body: { username: string; password: string }) => post<{ user: User }>('/api/auth/login', body),
  logout: () => post('/api/auth/logout'),
  changePassword: (body: { current_password: string; new_password: string }) => post('/api/auth/password', body),
  streamPassword: (renew: boolean) =>
    post<{ username: string; password: string }>('/api/auth/stream-password', { renew }),
  createToken: (body: { name: string; role: Role; read_only: boolean; club_id?: number; expires_at?: string }) =>
    post<{ token: string }>('/api/auth/tokens', body),
  deleteToken: (id: number) => del(`/api/auth/tokens/${id}`),
  createCamera: async (body: CameraInput) => (await post<{ camera: Camera }>('/api/cameras', body)).camera,
  updateCamera: async (id: number, body: CameraInput) =>
    (await patch<{ camera: Camera }>(`/api/cameras/${id}`, body)).camera,
  deleteCamera: (id: number, force: boolean) => del(`/api/cameras/${id}${force ? '?force=1' : ''}`),
  testSource: async (body: CameraInput) => (await post<{ result: TestResult }>('/api/cameras/test', body)).result,
  testCamera: async (id: number) => (await post<{ result: TestResult }>(`/api/cameras/${id}/test`)).result,
  startRecording: (target: Target, minutes: number) =>
    startRecording(target, minutes, queryClient.getQueryData<Session[]>(keys.sessions) ?? []),
  stopRecording,
  deleteVideo: (video: Video) =>
    del(
      `/api/video/files/${encodeURIComponent(video.session_id)}/delete?club_id=${video.club_id}&recording_id=${video.recording_id}`,
    ),
};

interface Outcome<Input, Output> {
  done?: (output: Output, input: Input) => void;
  failed?: (error: Error) => void;
}

/**
 * A mutation that makes those queries ask again when it is done. What follows belongs into `outcome`: it happens even
 * when the component that asked is gone by then, which callbacks of `mutate` do not promise.
 */
export function useAction<Input, Output>(
  run: (input: Input) => Promise<Output>,
  refresh: readonly (readonly unknown[])[],
  outcome: Outcome<Input, Output> = {},
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: outcome.done,
    onError: outcome.failed,
    onSettled: () => Promise.all(refresh.map((queryKey) => client.invalidateQueries({ queryKey }))),
  });
}

export const useVideoHealth = () =>
  useQuery({
    queryKey: keys.videoHealth,
    queryFn: () => get<VideoHealth>('/api/video/health'),
    refetchInterval: 30_000,
  });
