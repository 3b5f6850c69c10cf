import Foundation
import Reduction
import Synchronization
import Testing
import TextData
import Transport

@testable import Configuration
@testable import Coordination
@testable import Learning
@testable import Runs

/// What the coordinator's links carry to each worker, byte by byte.
@Suite struct ShardFeedTests {
    /// A frame as it arrived.
    private struct Arrival: Sendable, Equatable {
        var step: Int
        var lane: Int
        var batch: Int
        var bytes: [UInt8]
    }

    /// A rank's end of the links: it must stay until all ranks have received everything.
    private struct End: @unchecked Sendable {  // Its thread has ended when another lets go of it.
        let mesh: ZeroMQMesh
        let found: [Arrival]
    }

    @Test(arguments: [1, 2, 3, 5])
    func `a worker is sent the samples of its lanes and nothing else`(workers: Int) async throws {
        let run = try SmallRun(samples: 23)
        let inputs = try run.inputs {
            $0.batchSize = 6
            $0.accumulate = 2
            $0.lanes = 4
        }
        let context = try Context()
        let place = try MeshPlace(coordinator: "ipc://\(run.folder)/control", keys: nil)
        let data = DataThread(name: "apus data") {
            CoordinatorData(context: context, place: place, refusals: RefusalCount())
        }
        let own = try await data.perform { try $0.prepare(generation: 1).peer }
        let peers = (0..<workers).map { MeshPeer(endpoint: "ipc://\(run.folder)/rank-\($0)", key: nil) }
        let roster = MeshRoster(generation: 1, token: 7, peers: peers + [own])
        let lanes = LaneAssignment(laneCount: 4, workers: workers).lanes
        let formation = Formation(
            run: inputs.description, roster: roster, rank: workers, lanes: lanes, hosts: (0..<workers).map { $0 },
            stateFrom: nil, stateTo: [], step: 0, commit: nil, linkSeconds: 600)
        let plans = (1...inputs.plan.stepsPerEpoch).map { inputs.plan.step($0, order: inputs.plan.order(ofEpoch: 1)) }
        let dataset = inputs.train
        let samples = TrainingData(target: dataset, source: nil, features: nil)
        try await withThrowingTaskGroup(of: (Int, End).self) { group in
            for rank in 0..<workers { group.addTask { (rank, try await Self.end(of: rank, roster, in: context)) } }
            try await data.perform { core in
                try core.form(formation, sending: nil)
                for (number, plan) in plans.enumerated() {
                    try core.feed(plan, of: samples)
                    if number + 1 < plans.count { try core.feed(ahead: plans[number + 1], of: samples) }
                }
                // Marks the end.
                try core.feed([[Int]](repeating: [0], count: workers), of: dataset, as: .chunk, features: nil)
            }
            var fed: [Int32] = []
            var ends: [End] = []
            for try await (rank, end) in group {
                ends.append(end)
                let found = end.found
                let share = lanes[rank]
                let planned = plans.flatMap { plan in
                    share.flatMap { lane in
                        plan.lanes[lane].enumerated().map { batch, members in
                            fed += members.map(\.sample)
                            return Arrival(
                                step: plan.step, lane: lane, batch: batch,
                                bytes: ShardFrame.encode(members, of: dataset, step: plan.step, withTypes: false))
                        }
                    }
                }
                #expect(found == planned)
                // Number, position, length, count of labels, the tokens and the label: four bytes each.
                let tokens = plans.flatMap { plan in share.flatMap { plan.lanes[$0].joined() } }.map {
                    5 + dataset.range(of: Int($0.sample)).count
                }
                #expect(found.reduce(0) { $0 + $1.bytes.count } == 4 * tokens.reduce(0, +))
            }
            #expect(fed.sorted() == Array(0..<23))
            #expect(ends.count == workers)
            await data.performQuietly { $0.leaveGroup() }
        }
        data.end()
    }

    /// What comes to a rank before the first evaluation chunk.
    private static func end(of rank: Int, _ roster: MeshRoster, in context: Context) async throws -> End {
        try await withCheckedThrowingContinuation { continuation in
            Thread {
                continuation.resume(
                    with: Result {
                        let deadline = ContinuousClock.now + .seconds(600)
                        let mesh = try MeshListener(at: roster.peers[rank].endpoint, keys: nil, in: context).mesh(
                            rank: rank, roster: roster, deadline: deadline)
                        var found: [Arrival] = []
                        while true {
                            let frame = try mesh.receive(deadline: deadline)
                            guard frame.header.kind == ShardFrame.Kind.lane.rawValue else {
                                return End(mesh: mesh, found: found)
                            }
                            found.append(
                                Arrival(
                                    step: Int(frame.header.step), lane: Int(frame.header.bucket),
                                    batch: Int(frame.header.offset),
                                    bytes: frame.withPayload { payload in
                                        unsafe payload.withUnsafeBytes { unsafe Array($0) }
                                    }))
                        }
                    })
            }.start()
        }
    }
}
