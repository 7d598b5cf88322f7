/** What `helm test` runs in the cluster: the server is ready, and a call without a token is answered as it should be. */
const { READY_URL, MCP_URL, EXPECTED_STATUS } = process.env;

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'helm-test', version: '1' } },
};

async function expectStatus(url, expected, request) {
  const response = await fetch(url, { ...request, signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  const line = `${url}: ${response.status}, expected ${expected}`;
  if (String(response.status) !== expected) throw new Error(`${line}\n${text.slice(0, 1000)}`);
  console.log(line);
  return response;
}

async function main() {
  await expectStatus(READY_URL, '200', {});
  const answer = await expectStatus(MCP_URL, EXPECTED_STATUS, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify(initialize),
  });
  const challenged = answer.headers.has('www-authenticate');
  if (answer.status === 401 && !challenged) throw new Error('the 401 does not say how to sign in (WWW-Authenticate)');
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
