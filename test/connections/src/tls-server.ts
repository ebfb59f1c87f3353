import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';

/** Files of a certificate authority of our own, of a server on 127.0.0.1 and of a client. */
export type Certificates = { folder: string; ca: string; client: { certificate: string; key: string } };

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'retrigger-tls-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe', cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=an authority of our own');
  for (const [name, subject] of [
    ['server', '/CN=127.0.0.1'],
    ['client', '/CN=a-service'],
  ] as const)
    openssl(
      ...['req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2', '-subj', subject],
      ...['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:false'],
    );
  return { folder, ca: at('ca.pem'), client: { certificate: at('client.pem'), key: at('client.key') } };
}

export const removeCertificates = ({ folder }: Certificates): void => rmSync(folder, { recursive: true, force: true });

export type TlsServer = {
  port: number;
  /** The names on the client certificates that were shown. */
  clients: string[];
  /** Handshakes that a client broke off. */
  refused(): number;
  /** Resolves when what came in over TLS holds these words. */
  hears(words: string | RegExp): Promise<void>;
  close(): void;
};

/** A server that speaks TLS and notes what it is sent. `answer` may reply to each piece. */
export async function startTlsServer(
  { folder, ca }: Certificates,
  answer: (piece: Buffer) => Buffer | undefined = () => undefined,
): Promise<TlsServer> {
  const file = (name: string) => readFileSync(join(folder, name));
  const sockets = new Set<TLSSocket>();
  const waiting = new Set<() => void>();
  const clients: string[] = [];
  let heard = '';
  let refused = 0;
  const options = { key: file('server.key'), cert: file('server.pem'), ca: readFileSync(ca), requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, (socket) => {
    sockets.add(socket);
    const name = socket.getPeerCertificate().subject?.CN;
    if (name !== undefined) clients.push(String(name));
    socket.on('data', (piece: Buffer) => {
      heard += piece.toString('latin1');
      const reply = answer(piece);
      if (reply !== undefined) socket.write(reply);
      for (const look of waiting) look();
    });
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {
    refused++;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    clients,
    refused: () => refused,
    hears: (words) =>
      new Promise((resolve) => {
        const look = () => {
          if (typeof words === 'string' ? !heard.includes(words) : !words.test(heard)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
