// From the wire to the shapes that screens use (model.ts): optional fields get their defaults here and nowhere else.
import type { Camera, CameraEvent, RecordingStatus, Session, StreamUrls, TestResult, Video } from './model';

type Raw = Record<string, unknown>;

export const toCamera = (raw: Raw): Camera => ({
  ...(raw as unknown as Camera),
  streams: (raw.streams as Camera['streams']) ?? [],
});
export const toEvent = (raw: Raw): CameraEvent => raw as unknown as CameraEvent;
export const toSession = (raw: Raw): Session => raw as unknown as Session;
export const toStatus = (raw: Raw): RecordingStatus => raw as unknown as RecordingStatus;
export const toUrls = (raw: Raw): StreamUrls[] => (raw.streams as StreamUrls[]) ?? [];
export const toTestResult = (raw: Raw): TestResult => (raw.result ?? raw.test ?? raw) as TestResult;
export const toVideo = (raw: Raw): Video => ({ ...(raw as unknown as Video), gaps: (raw.gaps as Video['gaps']) ?? [] });
