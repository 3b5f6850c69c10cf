import Testing

@testable import Cluster

@Suite struct PlaceTests {
    @Test func `an empty environment says nothing`() throws {
        let place = try Place(environment: ["HOME": "/x", "RANK": ""])
        #expect(
            place.rank == nil && place.worldSize == nil && place.coordinator == nil && place.starter == .somebodyElse)
    }

    @Test func `the coordinator's own variable comes first`() throws {
        let place = try Place(environment: [
            "APUS_COORDINATOR": "tcp://one:5700", "MASTER_ADDR": "two", "MASTER_PORT": "1", "SLURM_PROCID": "0",
            "SLURM_NTASKS": "4",
            "SLURM_JOB_NODELIST": "n[1-2]", "SLURM_JOB_ID": "7",
        ])
        #expect(place.coordinator == "tcp://one:5700")
        #expect(try Place(environment: ["APUS_COORDINATOR": "one:5700"]).coordinator == "tcp://one:5700")
        #expect(place.rank == 0 && place.worldSize == 4)
        #expect(!place.startsCoordinator(isToldToTrain: true))
    }

    @Test func `the variables of torchrun are read`() throws {
        let place = try Place(environment: [
            "MASTER_ADDR": "fe80::1", "MASTER_PORT": "29500", "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1",
        ])
        #expect(place.coordinator == "tcp://[fe80::1]:29500")
        #expect(place.rank == 3 && place.worldSize == 4 && place.localRank == 1)
        let first = try Place(environment: [
            "MASTER_ADDR": "one", "MASTER_PORT": "29500", "RANK": "0", "WORLD_SIZE": "4",
        ])
        #expect(first.startsCoordinator(isToldToTrain: true) && !first.startsCoordinator(isToldToTrain: false))
    }

    @Test func `torchrun keeps its port for itself`() throws {
        var environment = [
            "TORCHELASTIC_USE_AGENT_STORE": "True", "MASTER_ADDR": "one", "MASTER_PORT": "29500", "RANK": "0",
            "WORLD_SIZE": "4", "LOCAL_RANK": "0",
            "LOCAL_WORLD_SIZE": "4",
        ]
        let alone = try Place(environment: environment)
        #expect(alone.coordinator == nil && alone.startsCoordinator(isToldToTrain: false))
        environment["LOCAL_WORLD_SIZE"] = "2"
        let beside = try Place(environment: environment)
        #expect(
            beside.coordinator == "tcp://one:29501" && beside.portVariable == "APUS_PORT"
                && beside.startsCoordinator(isToldToTrain: false))
        environment["MASTER_PORT"] = "65535"
        #expect(try Place(environment: environment).coordinator == "tcp://one:65534")
        environment["APUS_PORT"] = "6000"
        #expect(try Place(environment: environment).coordinator == "tcp://one:6000")
        environment["TORCHELASTIC_USE_AGENT_STORE"] = "False"
        #expect(try Place(environment: environment).coordinator == "tcp://one:65535")
    }

    @Test(arguments: ["WORLD_SIZE", "LOCAL_WORLD_SIZE"]) func `a size is at least one`(name: String) throws {
        let environment = ["MASTER_ADDR": "one", "MASTER_PORT": "1", "RANK": "0", "WORLD_SIZE": "1"].merging([name: "0"]
        ) { $1 }
        let error = try #require(throws: PlaceError.self) { try Place(environment: environment) }
        #expect(error.description == "\(name) is 0: it must be a whole number from 1 to 65535")
    }

    @Test func `under Slurm rank 0 starts the coordinator, at a port of the job`() throws {
        var environment = [
            "SLURM_PROCID": "0", "SLURM_NTASKS": "2", "SLURM_LOCALID": "0", "SLURM_STEP_NODELIST": "n[3-4]",
            "SLURM_JOB_NODELIST": "n[1-4]",
            "SLURM_JOB_ID": "123456",
        ]
        let first = try Place(environment: environment)
        #expect(first.coordinator == "tcp://n3:23456" && first.startsCoordinator(isToldToTrain: false))
        environment["SLURM_PROCID"] = "1"
        environment["APUS_PORT"] = "6000"
        let second = try Place(environment: environment)
        #expect(
            second.coordinator == "tcp://n3:6000" && !second.startsCoordinator(isToldToTrain: true) && second.rank == 1)
    }

    @Test func `the variables of Open MPI and PMI give ranks`() throws {
        let open = try Place(environment: [
            "OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_RANK": "0",
        ])
        #expect(open.rank == 2 && open.worldSize == 4 && open.localRank == 0 && open.coordinator == nil)
        let other = try Place(environment: ["PMI_RANK": "1", "PMI_SIZE": "2", "MPI_LOCALRANKID": "1"])
        #expect(other.rank == 1 && other.worldSize == 2 && other.localRank == 1)
    }

    @Test func `ranks of one host need no coordinator's address`() throws {
        var environment = [
            "OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_RANK": "0",
            "OMPI_COMM_WORLD_LOCAL_SIZE": "4",
            "PMIX_NAMESPACE": "712900609",
        ]
        let one = try Place(environment: environment)
        #expect(one.coordinator == nil && one.startsCoordinator(isToldToTrain: false) && one.job == "712900609")
        environment["OMPI_COMM_WORLD_LOCAL_SIZE"] = "2"
        #expect(try Place(environment: environment).starter == .somebodyElse)
    }

    @Test func `an MPI launcher inside an allocation of Slurm is nearer than Slurm`() throws {
        let slurm = [
            "SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_LOCALID": "0", "SLURM_STEP_NODELIST": "n2",
            "SLURM_JOB_NODELIST": "n[1-2]",
            "SLURM_JOB_ID": "7", "SLURM_CPUS_PER_TASK": "8",
        ]
        let mpi = ["OMPI_COMM_WORLD_RANK": "5", "OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_LOCAL_RANK": "1"]
        let place = try Place(environment: slurm.merging(mpi) { $1 })
        #expect(place.rank == 5 && place.worldSize == 8 && place.localRank == 1 && place.threads == nil)
        #expect(place.coordinator == "tcp://n1:20007")
        let ownPMI = try Place(environment: slurm.merging(["PMI_RANK": "1", "PMI_SIZE": "2"]) { $1 })
        #expect(ownPMI.localRank == 0 && ownPMI.threads == 8 && ownPMI.coordinator == "tcp://n2:20007")
        let ownPMIx = try Place(
            environment: slurm.merging(["PMIX_RANK": "1", "PMIX_NAMESPACE": "slurm.pmix.7.0"]) { $1 })
        #expect(ownPMIx.rank == 1 && ownPMIx.worldSize == 2 && ownPMIx.threads == 8)
    }

    @Test func `a pod of an indexed job has its index as rank`() throws {
        let place = try Place(environment: ["JOB_COMPLETION_INDEX": "2", "APUS_COORDINATOR": "tcp://coordinator:5701"])
        #expect(place.rank == 2 && place.worldSize == nil && !place.startsCoordinator(isToldToTrain: true))
    }

    @Test(arguments: [
        (["APUS_COORDINATOR": "one"], "APUS_COORDINATOR: 'one' is not an endpoint: it has no port"),
        (["APUS_COORDINATOR": "tcp://:5700"], "it has no host"),
        (["APUS_COORDINATOR": "tcp://one:99999"], "99999 is not a port"),
        (["MASTER_ADDR": "one"], "MASTER_PORT is not set"),
        (["MASTER_ADDR": "one", "MASTER_PORT": "0"], "MASTER_PORT is 0"),
        (["RANK": "x"], "RANK is x"),
        (["RANK": "-1"], "RANK is -1"),
        (["RANK": "4", "WORLD_SIZE": "4"], "RANK is 4 but WORLD_SIZE is 4"),
        (["SLURM_PROCID": "0", "SLURM_JOB_NODELIST": "n[1", "SLURM_JOB_ID": "1"], "the host list n[1"),
        (["SLURM_PROCID": "0", "SLURM_JOB_NODELIST": "n1"], "set APUS_PORT"),
    ])
    func `a wrong environment is refused in one line`(environment: [String: String], message: String) throws {
        let error = try #require(throws: PlaceError.self) { try Place(environment: environment) }
        #expect(error.description.contains(message))
    }
}
