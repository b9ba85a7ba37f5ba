// Types of @bluelibs/tunnel-worker: a worker of go-tunnel, the Go server of the BlueLibs Runner Tunnel HTTP protocol.

import type { Readable } from "node:stream";

/** What a handler can learn about the request, beside its input. */
export interface TaskContext {
  /** The id of the task or event. */
  readonly id: string;
  /** Of an event: whether the caller wants the payload back. */
  readonly returnPayload: boolean;
  /** The caller's `x-runner-request-id`, or one that the server made. */
  readonly requestId: string | undefined;
  readonly method: string | undefined;
  /** Path and query, as the caller wrote them. */
  readonly url: string | undefined;
  /** The base path that the call came by, such as `/__runner`. */
  readonly basePath: string | undefined;
  /** Whom the server's connection is with, or whom its middleware knows behind that. */
  readonly remoteAddress: string | undefined;
  /** Names are in lower case; the values of repeated headers are joined by `", "`. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** What `authenticate`, or the server's own function, returned for this request. */
  readonly identity: unknown;
  /** Aborts with an `AbortError` when the caller has left, or the server waits no longer. */
  readonly signal: AbortSignal;
}

/**
 * A file of a form, in the place where the input names it. `name` and `type` are final when `resolve` has been waited
 * for: until then only what the caller wrote beside the name is known. In a call that is no form it is the object that
 * the caller has sent, whose methods, which are not enumerable, throw an exposed error: UNSUPPORTED_MEDIA_TYPE.
 */
export interface InputFile {
  /** Without a path; "upload" if nobody named it. */
  name: string;
  type?: string;
  /** In bytes. This and the rest is what the caller says, and is not checked. */
  size?: number;
  /** Milliseconds since 1970. */
  lastModified?: number;
  extra?: Record<string, unknown>;
  /** Gives the stream when the file arrives. It can be used once, this way or the next ones. */
  resolve(): Promise<{ stream: Readable }>;
  /** Gives the stream at once. */
  stream(): Readable;
  /** Writes the file to a new one in the folder, or in that for temporary files. It is yours to remove. */
  toTempFile(dir?: string): Promise<{ path: string; bytesWritten: number }>;
}

/**
 * What is sent piece by piece: bytes or text. It is read as fast as the caller takes it, and destroyed, cancelled or
 * returned when the caller leaves.
 */
export type StreamSource =
  | NodeJS.ReadableStream
  | ReadableStream<Uint8Array | string>
  | Blob
  | AsyncIterable<Uint8Array | string>
  | Iterator<Uint8Array | string>;

/** A streamed result with what describes it. A `StreamSource` or a `Response` alone is one too. */
export interface StreamResult {
  stream: StreamSource;
  /** The HTTP status, 200 unless given. */
  status?: number;
  /** The type of a `Blob`, or "application/octet-stream", unless given. */
  contentType?: string;
  /** The server leaves out those that are its own: cookies, CORS, connection and security headers, the request id. */
  headers?: Readonly<Record<string, string | number | readonly string[]>>;
}

/**
 * Runs a task. Its input is the JSON that the caller sent, with an `InputFile` wherever that names a file of the form;
 * or a `Readable` of the raw body, if that is application/octet-stream. Both come as they are read, and end with the
 * call: with its answer, or that answer's last byte.
 *
 * What it returns is streamed if it is a `StreamSource`, a `Response` (with its status and headers) or a
 * `StreamResult`, and sent as JSON otherwise. Where JSON would keep nothing of a part of it, such as a `Map`, a `Set`, an
 * `Error`, a promise or an array of bytes (but not a `Buffer`), the call fails.
 *
 * What it throws is for the log, and the caller sees an internal error: except an error with `expose: true`, whose
 * message, `id`, `data` and `httpCode` (or `status`) the caller sees, and its `code` if that is one of the protocol, such
 * as "NOT_FOUND".
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a handler says itself which input it takes
export type TaskHandler<Input = any, Result = unknown> = (
  input: Input,
  context: TaskContext,
) => Result | PromiseLike<Result>;

/**
 * Handles an event. To a caller who wants the payload back goes what it returns, or the payload as it left it if that
 * is undefined.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
export type EventHandler<Payload = any> = (payload: Payload, context: TaskContext) => unknown;

/** An error that the caller may see: the convention of the package http-errors. */
export interface PublicError extends Error {
  expose: true;
  /** One of the protocol's codes, such as `"NOT_FOUND"`; others count as `"INTERNAL_ERROR"`. */
  code?: string;
  /** Names the error for programs, such as `"app.errors.quota"`. */
  id?: string;
  /** Goes to the caller as JSON. */
  data?: unknown;
  /** The HTTP status, 100 to 599. */
  httpCode?: number;
  /** Used if there is no `httpCode`. */
  status?: number;
}

/** A request that wants to be let in. */
export interface AuthContext {
  readonly method: string | undefined;
  /** Path and query, as the caller wrote them. */
  readonly url: string | undefined;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly remoteAddress: string | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/**
 * Decides whether a request is let in, if the server's `Config.Authenticate` is that of its workers. Something truthy
 * lets it in, and is the `identity` that handlers see, unless it is `true`. Anything else, and whatever it throws, is
 * answered with 401; an error with `expose: true` and the status 403 is answered with 403.
 */
export type Authenticate = (context: AuthContext) => unknown;

export type Handlers<Handler> = Readonly<Record<string, Handler>> | ReadonlyMap<string, Handler>;

/** What a worker serves: at least one of `tasks` and `events`. */
export type TaskModule = TaskModuleOptions &
  (
    | { tasks: Handlers<TaskHandler>; events?: Handlers<EventHandler> }
    | { tasks?: Handlers<TaskHandler>; events: Handlers<EventHandler> }
  );

/** What a task module may have beside its tasks and events. */
export interface TaskModuleOptions {
  authenticate?: Authenticate;
  /**
   * Called before the process ends, after the calls that run, and waited for: to close databases, say. The server bounds
   * it by its `Options.StopTimeout`, and logs when that cuts it.
   */
  dispose?: () => unknown;
  /**
   * JSON Schemas of inputs and payloads, by the id of the task or event, as libraries of schemas export them: with
   * zod, `z.toJSONSchema(schema, { io: "input" })`. They are told to the server, which may check every call against them.
   */
  schemas?: Readonly<Record<string, object>>;
  /** Ids of tasks that may run again, on another worker, when the one that ran them has died. */
  idempotent?: readonly string[];
}

/** A running application of `@bluelibs/runner`: what its `run()` resolves to. */
export interface RunnerRuntime {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the types are Runner's own
  runTask(...args: any[]): any;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  emitEvent(...args: any[]): any;
  dispose(): Promise<void>;
  readonly store: object;
}

export interface WorkerOptions {
  /**
   * The module `@bluelibs/runner` that the application runs on, as `import * as runner` gives it: needed only where it
   * cannot be found, because an ES module imports it, or it is bundled with the application.
   */
  runner?: object;
}

export interface WorkerListener {
  /** Tells the server what there is to call, after tasks or events were added to a Map or taken from it. */
  announce(): void;
  /** Takes no more calls, and ends the process when those that run have been answered. */
  drain(): void;
}

/**
 * Makes this process a worker: it serves the tasks and events of `source` until the server ends it.
 *
 * @throws Error if the process was not started by go-tunnel.
 */
export function createWorkerListener(
  source: TaskModule | ReadonlyMap<string, TaskHandler> | RunnerRuntime,
  options?: WorkerOptions,
): WorkerListener;
