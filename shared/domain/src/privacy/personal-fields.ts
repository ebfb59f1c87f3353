/** What kind of personal data a field holds: whose doing it was, or what a sensitive task was given, led to, or was said about it. */
export type PersonalKind = 'name' | 'context' | 'result' | 'error' | 'reason';

/** A kind that is sealed under its task's key. A name is sealed under nobody's: a token stands for it. */
export type SealedKind = Exclude<PersonalKind, 'name'>;

/** JSON Pointers of fields, without escapes, with what each holds. */
export type PersonalFields = Readonly<{ [pointer: string]: PersonalKind }>;

/** In an event. */
export const EVENT_FIELDS: PersonalFields = {
  '/actor/id': 'name',
  '/metadata/owner': 'name',
  '/metadata/context': 'context',
  '/metadata/changes/context': 'context',
  '/metadata/reschedule/context': 'context',
  '/metadata/reason': 'reason',
  '/metadata/reschedule/reason': 'reason',
  '/metadata/triggerReason': 'reason',
  '/metadata/result': 'result',
  '/metadata/error/message': 'error',
  '/metadata/by/actor/id': 'name',
  '/metadata/asked/body/context': 'context',
  '/metadata/asked/body/triggerReason': 'reason',
  '/metadata/asked/body/reason': 'reason',
  '/metadata/planned/metadata/context': 'context',
  '/metadata/planned/metadata/triggerReason': 'reason',
  '/metadata/planned/metadata/reason': 'reason',
};

/** In a task as it is shown, and so in the answers that show one. */
export const TASK_FIELDS: PersonalFields = {
  '/owner': 'name',
  '/context': 'context',
  '/execution/context': 'context',
  '/execution/executor': 'name',
  '/lastExecution/executor': 'name',
  '/lastExecution/result': 'result',
  '/lastExecution/error/message': 'error',
};

/** In the body of a command, whichever it is. */
export const COMMAND_FIELDS: Readonly<{ [pointer: string]: SealedKind }> = {
  '/context': 'context',
  '/triggerReason': 'reason',
  '/reason': 'reason',
  '/result': 'result',
  '/error/message': 'error',
};
