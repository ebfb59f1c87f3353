import { createRequire } from 'node:module';
import { classifyKafkaError } from '@retrigger/kafka/kafka-errors.ts';
import kafkajs from 'kafkajs';
import { expect, test } from 'vitest';

test.each([
  ['a refused connection, wrapped twice', wrapped(new kafkajs.KafkaJSConnectionError('no', { code: 'ECONNREFUSED' })), 'unreachable', true],
  ['a record that the broker finds too large', protocol('MESSAGE_TOO_LARGE'), 'too_large', false],
  ['too few replicas', protocol('NOT_ENOUGH_REPLICAS'), 'too_few_replicas', true],
  ['an old generation', protocol('ILLEGAL_GENERATION'), 'fenced', false],
  ['an ACL', protocol('TOPIC_AUTHORIZATION_FAILED'), 'denied', false],
  ['a wrong password', named('KafkaJSSASLAuthenticationError'), 'denied', false],
  ['a bug', new TypeError('x is not a function'), 'unexpected', false],
  ['something that is no error', 'text', 'unexpected', true],
])('%s has its row', (_, error, code, retry) => {
  expect(classifyKafkaError(error)).toMatchObject({ code, retry });
});

test('every error that KafkaJS exports has a row of its own, except the wrappers', () => {
  const names = Object.entries(kafkajs).flatMap(([name, value]) => (/^KafkaJS/.test(name) && typeof value === 'function' ? [name] : []));
  const rowless = names.filter((name) => classifyKafkaError(named(name)).code === 'unexpected');
  expect(rowless.sort()).toEqual(WRAPPERS);
});

test('every error code that the protocol calls retriable is retried here', () => {
  const { errorCodes } = createRequire(import.meta.url)('kafkajs/src/protocol/error.js') as {
    errorCodes: { type: string; retriable: boolean }[];
  };
  const dropped = errorCodes.filter(({ type, retriable }) => retriable && !classifyKafkaError(protocol(type, retriable)).retry);
  expect(dropped).toEqual([]);
  expect(errorCodes.length).toBeGreaterThan(50);
});

const WRAPPERS = [
  'KafkaJSAggregateError',
  'KafkaJSAlterPartitionReassignmentsError',
  'KafkaJSCreateTopicError',
  'KafkaJSDeleteGroupsError',
  'KafkaJSDeleteTopicRecordsError',
  'KafkaJSError',
  'KafkaJSFetcherRebalanceError',
  'KafkaJSInvalidLongError',
  'KafkaJSInvalidVarIntError',
  'KafkaJSInvariantViolation',
  'KafkaJSNonRetriableError',
  'KafkaJSNumberOfRetriesExceeded',
  'KafkaJSProtocolError',
];

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}

function protocol(type: string, retriable = false): Error {
  return Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type, retriable });
}

function wrapped(cause: Error): Error {
  return new Error('outer', { cause: new kafkajs.KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 5, retryTime: 1 }) });
}
