package import Distributed

/// An actor system whose calls carry `Codable` values, and whose actors' names travel too.
///
/// One requirement for the actors that are generic over it: the runtime looks up each requirement anew in every call.
package protocol CodableActorSystem: DistributedActorSystem where SerializationRequirement == any Codable, ActorID: Codable {}

extension ZeroMQActorSystem: CodableActorSystem {}
