import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Person } from '../browser.js';
import { Output } from '../output.js';

/** The version of Spring Boot, which brings the one of the authorization server. */
const VERSION = /<version>(\d[\d.]*\.\d+)<\/version>/.exec(readFileSync(join(__dirname, 'pom.xml'), 'utf8'))![1]!;
const CACHE = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const HOME = join(CACHE, 'managed-agent-control', `spring-${VERSION}`);
export const springFound = existsSync(HOME) && spawnSync('javac', ['-version']).status === 0;
export const SPRING_SKIPPED = 'Spring Authorization Server is not on this machine; ".ci/spring" gets it';

/** The client and the user of application.yaml. */
export const SPRING_CLIENT = { id: 'company-mcp', secret: 'secret-of-company-mcp' } as const;
export const springUser: Person = ({ html }) =>
  html.includes('name="username"') ? { username: 'alice', password: 'password-of-alice' } : undefined;

const running = new Set<ChildProcess>();
/** A test that fails half-way leaves its provider behind. */
afterAll(() => running.forEach((child) => child.kill('SIGKILL')));

export interface SpringProvider {
  readonly issuer: string;
  stop(): Promise<void>;
}

/** Spring Authorization Server with `Provider.java` and `application.yaml`; everything it stores is in memory. */
export async function startSpring(): Promise<SpringProvider> {
  const config = `--spring.config.location=${join(__dirname, 'application.yaml')}`;
  // It lives for a minute, so the compiler that starts faster is enough.
  const args = ['-XX:TieredStopAtLevel=1', '-cp', join(HOME, '*'), join(__dirname, 'Provider.java'), config];
  const child = spawn('java', args, { env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const [, port] = await new Output(child).match(/Tomcat started on port (\d+)/);
  return {
    issuer: `http://127.0.0.1:${port}`,
    stop: async () => {
      running.delete(child);
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}
