/** What a person reads who has just started the service: where it is and, when the key is not their own, how to call it. */
export function greeting(url: string, dataDir: string, key: string | null): string {
  const lines = [`Retrigger is listening on ${url} (data in ${dataDir}, documentation at ${url}/docs)`];
  if (key !== null) {
    const headers = `-H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json'`;
    lines.push(
      '',
      `API key (tenant default, user admin): ${key}`,
      '',
      'Try it:',
      `  curl -s ${url}/api/v1/tasks ${headers} -d '{"taskId":"hello","type":"demo"}'`,
      `  curl -s ${url}/api/v1/tasks/hello/trigger ${headers} -d '{"triggerReason":"first try"}'`,
      `  curl -s ${url}/api/v1/tasks/hello/events ${headers}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
