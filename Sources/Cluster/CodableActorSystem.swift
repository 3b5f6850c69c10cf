package import Distributed

/// An actor system whose calls carry `Codable` values, and whose actor addresses can be sent, too.
///
/// A single requirement for actors that are generic over it: the runtime looks up each requirement again in every call.
package protocol CodableActorSystem: DistributedActorSystem
where SerializationRequirement == any Codable, ActorID: Codable {}

extension ZeroMQActorSystem: CodableActorSystem {}
