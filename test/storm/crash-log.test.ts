import assert from 'node:assert/strict';
import { crashIn } from './crash-log.ts';

/** The log of a crash of kube-apiserver 1.33.13. */
const CRASHED = `I1126 03:40:57.607250    3212 policy_source.go:240] refreshing policies
fatal error: concurrent map read and map write

goroutine 48146 [running]:
internal/runtime/maps.fatal({0x3a52d61?, 0xbf00c001f0b660?})
	runtime/panic.go:1181 +0x18
k8s.io/apiserver/pkg/cel.(*DeclTypeProvider).FindStructFieldType(0xdc6e2c834a0, {0x3a2b557, 0x14}, {0xdc6f399141c, 0x4})
	k8s.io/apiserver@v0.33.13/pkg/cel/types.go:463 +0x74
created by net/http.(*Server).Serve in goroutine 1
	net/http/server.go:3454 +0x485

goroutine 1 [select]:
main.main()
	main.go:1 +0x1
`;

describe('the log of a server that crashed', () => {
  it('the result has the error, and the functions of the failed goroutine', () => {
    assert.deepEqual(crashIn(CRASHED), {
      error: 'fatal error: concurrent map read and map write',
      frames: [
        'internal/runtime/maps.fatal runtime/panic.go:1181',
        'k8s.io/apiserver/pkg/cel.(*DeclTypeProvider).FindStructFieldType k8s.io/apiserver@v0.33.13/pkg/cel/types.go:463',
        'created by net/http.(*Server).Serve in goroutine 1 net/http/server.go:3454',
      ],
    });
  });

  it('the result is the last crash, if a restarted server has crashed again', () => {
    const again = CRASHED.replace('map read and map write', 'map writes');
    assert.equal(crashIn(CRASHED + again)?.error, 'fatal error: concurrent map writes');
  });

  it('the result has no crash, if the server was stopped', () => {
    assert.equal(crashIn('I1126 03:40:57.607250 3212 policy_source.go:240] refreshing policies\n'), undefined);
  });
});
