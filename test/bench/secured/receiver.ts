import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';

/** What the receiver's process sends once it takes exports. */
export interface Receiving {
  readonly url: string;
}

/** A receiver of OTLP that reads whatever comes and throws it away. */
const server = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
});
server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } satisfies Receiving);
});
process.once('disconnect', () => process.exit());
