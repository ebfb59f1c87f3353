/** Preloaded into a process (`--import`): its calendar begins at `BEGINS_AT`, an ISO 8601 instant, and runs on from there. */
const offset = Date.parse(process.env.BEGINS_AT ?? '') - Date.now();
const now = Date.now.bind(Date);
Date.now = () => now() + offset;
