import { parseRoleBindings } from './role-bindings.js';

it.each([
  ['viewer=*', [{ role: 'viewer', to: '*' }]],
  ['admin=subject:alice@example.com', [{ role: 'admin', to: { kind: 'subject', value: 'alice@example.com' } }]],
  [
    ' admin = subject:alice , role:platform ;\n operator=group:/teams/developers; ',
    [
      { role: 'admin', to: { kind: 'subject', value: 'alice' } },
      { role: 'admin', to: { kind: 'role', value: 'platform' } },
      { role: 'operator', to: { kind: 'group', value: '/teams/developers' } },
    ],
  ],
  ['approver=scope:sessions.approve', [{ role: 'approver', to: { kind: 'scope', value: 'sessions.approve' } }]],
  ['operator=token:ci', [{ role: 'operator', to: { kind: 'token', value: 'ci' } }]],
  ['viewer=role:a; viewer=role:b', ['a', 'b'].map((value) => ({ role: 'viewer', to: { kind: 'role', value } }))],
  ['admin=group:CN=Ops%2COU=IT%3B', [{ role: 'admin', to: { kind: 'group', value: 'CN=Ops,OU=IT;' } }]],
  [
    'admin=subject:https://idp.example.com|00u1',
    [{ role: 'admin', to: { kind: 'subject', value: 'https://idp.example.com|00u1' } }],
  ],
])('reads %j', (text, bindings) => {
  expect(parseRoleBindings(text)).toEqual({ bindings, problems: [] });
});

it.each([
  ['admin', '"admin" does not begin with a role'],
  ['alice', '"alice" does not begin with a role'],
  ['=subject:alice', 'does not begin with a role'],
  ['Admin=subject:alice', '"Admin=subject:alice" does not begin with a role'],
  ['root=subject:alice', 'does not begin with a role'],
  ['constructor=*', 'does not begin with a role'],
  ['admin=', '"" of admin names no principal'],
  ['admin=alice', '"alice" of admin names no principal'],
  ['admin=subject:', '"subject:" of admin names no principal'],
  ['admin=user:alice', '"user:alice" of admin names no principal'],
  ['admin=subject:alice,', '"" of admin names no principal'],
  ['admin=subject:*', '"subject:*" of admin names no principal'],
  ['admin=subject:100%', '"subject:100%" of admin names no principal'],
])('refuses %j, and says what is allowed', (text, what) => {
  const { problems } = parseRoleBindings(text);
  expect(problems).toEqual([expect.stringContaining(what)]);
  expect(problems[0]).toMatch(/with viewer, operator, approver, admin as roles; who is \* \(everyone\) or role:<name>/);
});

it('names each entry that is wrong', () => {
  expect(parseRoleBindings('admin=*; nobody=*; viewer=who').problems).toHaveLength(2);
});
