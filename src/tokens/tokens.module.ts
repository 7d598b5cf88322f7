import { Module } from '@nestjs/common';
import { SealedTokens } from './sealed-tokens.js';

/** The codec of opaque tokens, for every module that hands one out. */
@Module({ providers: [SealedTokens], exports: [SealedTokens] })
export class TokensModule {}
