import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/**
 * Packs the MCPB bundle (dist/managed-agent-control.mcpb, or the file that is named): one file that Claude Desktop installs
 * with a click, asking for the API key and keeping it in the keychain of the operating system.
 */
const file = resolve(process.argv[2] ?? 'dist/managed-agent-control.mcpb');
const folder = mkdtempSync(join(tmpdir(), 'mcpb-'));
mkdirSync(join(folder, 'server'));
cpSync('deploy/mcpb/manifest.json', join(folder, 'manifest.json'));
cpSync('LICENSE', join(folder, 'LICENSE'));
cpSync('dist/THIRD-PARTY-LICENSES.txt', join(folder, 'THIRD-PARTY-LICENSES.txt'));
cpSync('dist/main.js', join(folder, 'server', 'main.js'));
mkdirSync(dirname(file), { recursive: true });
const { status } = spawnSync(process.execPath, ['node_modules/.bin/mcpb', 'pack', folder, file], { stdio: 'inherit' });
rmSync(folder, { recursive: true });
process.exitCode = status ?? 1;
