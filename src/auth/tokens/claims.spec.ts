import { claimAt, listedIn, scopesOf } from './claims.js';

const claims = {
  roles: ['admin', 'viewer', 7, null, ''],
  groups: 'staff',
  'cognito:groups': ['pool'],
  'https://example.com/roles': ['namespaced'],
  realm_access: { roles: ['nested'] },
  resource_access: { mcp: { roles: ['deeper'] } },
  'a.b': 'by name',
  a: { b: 'by path' },
};

it.each([
  ['roles', ['admin', 'viewer']],
  ['groups', ['staff']],
  ['cognito:groups', ['pool']],
  ['https://example.com/roles', ['namespaced']],
  ['realm_access.roles', ['nested']],
  ['resource_access.mcp.roles', ['deeper']],
  ['a.b', ['by name']],
  ['realm_access', []],
  ['realm_access.roles.0', ['nested']],
  ['nothing', []],
  ['realm_access.nothing.at.all', []],
  ['constructor', []],
  ['__proto__', []],
  ['roles.length', []],
])('the claim at %s lists %j', (path, values) => {
  expect(listedIn(claims, [path])).toEqual(values);
});

it('joins several claims and names each value once', () => {
  expect(listedIn({ a: ['x', 'y'], b: ['y', 'z'] }, ['a', 'b'])).toEqual(['x', 'y', 'z']);
});

it('takes nothing that objects inherit', () => {
  expect(claimAt(Object.create({ roles: ['admin'] }) as Record<string, unknown>, 'roles')).toBeUndefined();
});

it.each([
  [{ scope: 'a b' }, ['a', 'b']],
  [{ scope: ['a', 'b'] }, ['a', 'b']],
  [{ scp: 'a  b ' }, ['a', 'b']],
  [{ scp: ['a', 'b'] }, ['a', 'b']],
  [{ scope: 'a', scp: ['a', 'b'] }, ['a', 'b']],
  [{ scope: 7 }, []],
  [{}, []],
])('the scopes of %j are %j', (given, scopes) => {
  expect(scopesOf(given)).toEqual(scopes);
});

it.each([
  ['resource_access.https://mcp.example.com/mcp.roles', ['by URL']],
  ['/resource_access/https:~1~1mcp.example.com~1mcp/roles', ['by URL']],
  ['/resource_access/a~0b/roles', ['by tilde']],
  ['resource_access.a.b.roles', ['shorter']],
  ['/resource_access/a.b/roles', ['longer']],
  ['/nothing/here', []],
  ['/', []],
  ['resource_access.constructor.name', []],
])('a name with dots within %s lists %j', (path, values) => {
  const access = {
    'https://mcp.example.com/mcp': { roles: ['by URL'] },
    'a~b': { roles: ['by tilde'] },
    'a.b': { roles: ['longer'] },
    a: { b: { roles: ['shorter'] } },
  };
  expect(listedIn({ resource_access: access }, [path])).toEqual(values);
});
