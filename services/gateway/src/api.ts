import { OpenAPIHono, type RouteConfig } from '@hono/zod-openapi';
import type { Command } from '@retrigger/domain/command.ts';
import type { CommandAdmission } from '@retrigger/engine/admit-command.ts';
import type { Context } from 'hono';
import { BodyMemory, type Held } from './body-memory.ts';
import { changingReply } from './changing-call.ts';
import type { Caller } from './credentials.ts';
import type { GatewayDeps } from './deps.ts';
import { type DirectCall, directReply } from './direct-call.ts';
import { callerOf, isProblem, respond } from './exchange.ts';
import { type Described, describeRoute, type Method } from './openapi.ts';
import { type Problem, problemReply } from './problem.ts';
import type { ChangingCall } from './read-call.ts';
import type { Reply } from './reply.ts';

/** A call that reads: who asks, and the request. */
export type ReadCall = (caller: Caller, c: Context) => Promise<Reply>;

/**
 * The calls of the API, each under its path with its description. Requests go straight to one handler each: nothing runs between, and the body is
 * read and checked once (validators of the OpenAPI library would read it a second time).
 * U1: a call can't be served without being described, so the OpenAPI document is complete.
 */
export class Api {
  readonly app = new OpenAPIHono();
  readonly deps: GatewayDeps;
  readonly admission: CommandAdmission<Problem>;
  /** Who wants to know that a command was accepted. */
  accepted: (command: Command) => void = () => {};
  readonly bodies: BodyMemory;
  /** By the type of their receipts. */
  readonly directCalls = new Map<string, Pick<DirectCall<unknown>, 'status' | 'show'>>();
  readonly #methods = new Map<string, string[]>();

  constructor(deps: GatewayDeps, admission: CommandAdmission<Problem>) {
    this.deps = deps;
    this.admission = admission;
    this.bodies = new BodyMemory(deps.config.maxBodyBytes);
    deps.observer.gauge('body_bytes_in_memory', () => this.bodies.bytes);
    this.app.notFound((c) => this.#noSuchCall(c));
  }

  /** How near the door is to shedding load: 1 is there. */
  get load(): number {
    return Math.max(this.admission.load, this.bodies.load);
  }

  /** Needs no credentials. */
  open(path: string, described: Described, reply: (c: Context) => Promise<Reply>): void {
    this.#describe('GET', path, described);
    this.app.get(routerPath(path), (c) => respond(c, path, this.deps, () => reply(c)));
  }

  read(path: string, described: Described, reply: ReadCall): void {
    this.#describe('GET', path, described);
    this.app.get(routerPath(path), (c) =>
      respond(c, path, this.deps, async () => {
        const caller = await callerOf(c, this.deps);
        return isProblem(caller) ? problemReply(caller, c.req.path) : reply(caller, c);
      }),
    );
  }

  change<B>(call: ChangingCall<B>, described: Described): void {
    this.#describe(call.method, call.path, described, call.hasDryRun);
    const { deps, admission, bodies } = this;
    this.app.on(call.method, routerPath(call.path), (c) =>
      respond(c, call.path, deps, (requestId, id) =>
        bodies.during((held) => changingReply(c, call, deps, admission, requestId, id, held, (command) => this.accepted(command))),
      ),
    );
  }

  /** A changing call that is more than one command, or none; whoever answers it does all of it. */
  handle(
    method: Method,
    path: string,
    described: Described,
    reply: (c: Context, requestId: string, id: { commandId: string }, held: Held) => Promise<Reply>,
  ): void {
    this.#describe(method, path, described);
    this.app.on(method, routerPath(path), (c) =>
      respond(c, path, this.deps, (requestId, id) => this.bodies.during((held) => reply(c, requestId, id, held))),
    );
  }

  direct<B>(call: DirectCall<B>, described: Described): void {
    this.#describe(call.method, call.path, described);
    this.directCalls.set(call.type, call);
    const { deps, bodies } = this;
    this.app.on(call.method, routerPath(call.path), (c) =>
      respond(c, call.path, deps, (_, id) => bodies.during((held) => directReply(c, call, deps, id, held))),
    );
  }

  #describe(method: Method, path: string, described: Described, hasDryRun = false): void {
    const route: RouteConfig = describeRoute(method, path, described, hasDryRun);
    this.app.openAPIRegistry.registerPath(route);
    this.#methods.set(path, [...(this.#methods.get(path) ?? []), method]);
  }

  /** No such path, or not this method there. */
  #noSuchCall(c: Context): Promise<Response> {
    const allowed = [...this.#methods].find(([path]) => isAt(path, c.req.path))?.[1]?.toSorted();
    return respond(c, 'none', this.deps, async () =>
      problemReply(
        allowed === undefined
          ? { code: 'not_found', detail: 'There is nothing at this path' }
          : {
              code: 'method_not_allowed',
              detail: `Possible here: ${allowed.join(', ')}`,
              headers: { allow: allowed.join(', ') },
            },
        c.req.path,
      ),
    );
  }
}

/** `/tasks/{taskId}` as the router writes it. */
const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

const isAt = (pattern: string, path: string): boolean => {
  const [parts, given] = [pattern.split('/'), path.split('/')];
  return parts.length === given.length && parts.every((part, i) => (part.startsWith('{') ? given[i] !== '' : part === given[i]));
};
