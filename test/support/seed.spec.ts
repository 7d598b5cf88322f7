import fc from 'fast-check';

it('draws the same again from the seed of the run', () => {
  const drawn = fc.sample(fc.double(), 20);
  expect(fc.sample(fc.double(), { numRuns: 20, seed: jest.getSeed() })).toEqual(drawn);
  expect(fc.sample(fc.double(), { numRuns: 20, seed: jest.getSeed() + 1 })).not.toEqual(drawn);
});
