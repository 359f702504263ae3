import { describe, expect, it } from 'vitest';
import { ProviderReturn, readAnswer, readErrand } from '../src/provider';

describe('what the provider sends a browser back with', () => {
  it('is a code with the state of the question, and who answers', () => {
    expect(readAnswer('?code=a%2Bb&state=s')).toEqual({ code: 'a+b', state: 's' });
    expect(readAnswer('?code=a&state=s&iss=https%3A%2F%2Flogin.example.org')).toEqual({ code: 'a', state: 's', issuer: 'https://login.example.org' });
  });

  it('can be a refusal, told in words of our own', () => {
    expect(readAnswer('?error=access_denied&error_description=%3Cb%3E&state=s')).toBe('The sign-in was cancelled.');
    expect(readAnswer('?error=server_error&state=s')).toBe('The sign-in did not succeed there.');
  });

  it('is nothing where the page was opened as ever', () => {
    expect(readAnswer('')).toBeNull();
    expect(readAnswer('?code=a')).toBeNull();
    expect(readAnswer('?symbol=EURUSD')).toBeNull();
  });

  it('is for what the browser was sent for, once', () => {
    const answer = { code: 'a', state: 's' };
    const back = new ProviderReturn(answer, 'link');
    expect(back.take('signIn')).toBeNull();
    expect(back.take('link')).toEqual(answer);
    expect(back.take('link')).toBeNull();
    expect(new ProviderReturn(answer, null).take('signIn')).toBeNull();
  });

  it('leads back to the page that was left, and to no other place', () => {
    expect(readErrand('{"purpose":"link","hash":"#/settings/security"}')).toEqual({ purpose: 'link', hash: '#/settings/security' });
    for (const text of [null, '', 'null', '{}', '{"purpose":"link","hash":"//example.org"}', '{"purpose":"other","hash":"#/"}', '{"purpose":1,"hash":"#/"}', '[']) {
      expect(readErrand(text)).toBeNull();
    }
  });
});
